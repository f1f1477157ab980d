// dataset_fixture.h: small data sets laid out as the official ones, made of nothing but what a test says.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "audio/scratch.h"
#include "audio/wav_bytes.h"
#include "core/taxonomy.h"
#include "data/dataset.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark::testing {

/// Contents by path, relative to the root of the data set.
using Files = std::map<std::string, std::string>;

/// A sound of a few samples, another for each `seed`.
inline std::string tiny_wav(int seed) {
  return wav(format_chunk(1, 1, 44100, 16), ramp_16(20 + seed) + le(static_cast<std::uint64_t>(seed), 2));
}

inline void write_files(const Scratch& dir, const Files& files) {
  for (const auto& [name, content] : files) dir.write(name, content);
}

/// Adds a recording for each name.
inline void add_recordings(Files& files, const std::string& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) files[folder + "/" + name] = tiny_wav(static_cast<int>(files.size()));
}

inline Files fsdkaggle2018_files() {
  Files files;
  files["FSDKaggle2018.meta/train_post_competition.csv"] =
      "fname,label,manually_verified,freesound_id,license\n"
      "00044347.wav,Hi-hat,0,28739,Attribution\n"
      "001ca53d.wav,Saxophone,1,358827,Attribution\n"
      "002d256b.wav,Trumpet,0,10897,Creative Commons 0\n"
      "0033e230.wav,Glockenspiel,1,250091,Attribution\n";
  files["FSDKaggle2018.meta/test_post_competition_scoring_clips.csv"] =
      "fname,label,usage,freesound_id,license\n"
      "00326aa9.wav,Oboe,Private,355125,Attribution\n"
      "0038a046.wav,Bass_drum,Public,90621,Attribution\n";
  add_recordings(files, "FSDKaggle2018.audio_train",
                 {"00044347.wav", "001ca53d.wav", "002d256b.wav", "0033e230.wav"});
  add_recordings(files, "FSDKaggle2018.audio_test", {"00326aa9.wav", "0038a046.wav"});
  return files;
}

inline Files fsdkaggle2019_files() {
  Files files;
  const std::string meta = "FSDKaggle2019.meta/";
  files[meta + "train_curated_post_competition.csv"] =
      "fname,labels,freesound_id,license\n"
      "0006ae4e.wav,Bark,65188,Attribution\n"
      "0019ef41.wav,\"Raindrop,Trickle_and_dribble\",17742,Attribution\n"
      "f76181c4.wav,Church_bell,1234,Attribution\n";
  files[meta + "train_noisy_post_competition.csv"] =
      "fname,labels,flickr_video_URL,license\n"
      "00097e21.wav,Bathtub_(filling_or_washing),https://www.flickr.com/photos/1/2/,CC-BY\n"
      "000b6cfb.wav,\"Motorcycle,Bus,Run\",https://www.flickr.com/photos/3/4/,CC-BY-SA\n";
  files[meta + "test_post_competition.csv"] =
      "fname,labels,usage,freesound_id,license\n"
      "4260ebea.wav,Waves_and_surf,Public,367128,Attribution\n"
      "426eb1e0.wav,\"Crowd,Cheering\",Private,388532,Attribution\n";
  const std::vector<std::string> tags = known_taxonomy("fsdkaggle2019").tags;
  for (std::size_t i = 0; i < tags.size(); ++i)
    files[meta + "vocabulary.csv"] += std::to_string(i) + "," + tags[i] + ",/m/0" + std::to_string(i) + "\n";
  add_recordings(files, "FSDKaggle2019.audio_train_curated",
                 {"0006ae4e.wav", "0019ef41.wav", "f76181c4.wav"});
  add_recordings(files, "FSDKaggle2019.audio_train_noisy", {"00097e21.wav", "000b6cfb.wav"});
  add_recordings(files, "FSDKaggle2019.audio_test", {"4260ebea.wav", "426eb1e0.wav"});
  return files;
}

/// One row of SONYC-UST's annotations, and what is not zero in it: tags and their votes.
struct SonycFixtureRow {
  std::string split, sensor, file;
  int annotator = 1;
  std::map<std::string, int> votes;
  bool only_those = false;  ///< every other tag was not asked about
};

/// annotations.csv as release 1.0 has it (coarse columns last, written otherwise than the fine ones) or,
/// `place` given, as release 2.3 has it: with the fields year to longitude.
inline std::string sonyc_csv(const std::vector<SonycFixtureRow>& rows, const std::string& place = "") {
  const Taxonomy taxonomy = known_taxonomy("sonyc_ust");
  std::string text = "split,sensor_id,audio_filename,annotator_id";
  if (!place.empty()) text += ",borough,block,latitude,longitude,year,week,day,hour";
  const auto columns = [&](bool coarse, const std::string& suffix) {
    for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
      if ((taxonomy.parents[tag] < 0) == coarse) text += "," + taxonomy.tags[tag] + suffix;
    }
  };
  columns(false, "_presence");
  columns(false, "_proximity");
  columns(true, "_presence");
  for (const SonycFixtureRow& row : rows) {
    text += "\n" + row.split + "," + row.sensor + "," + row.file + "," + std::to_string(row.annotator);
    if (!place.empty()) text += "," + place;
    const auto votes = [&](bool coarse, bool proximity) {
      for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
        if ((taxonomy.parents[tag] < 0) != coarse) continue;
        const auto vote = row.votes.find(taxonomy.tags[tag]);
        const int value = vote != row.votes.end() ? vote->second : row.only_those ? -1 : 0;
        text += "," + (proximity ? std::string(value == 1 ? "near" : "-1")
                                 : std::to_string(value) + (coarse ? "" : ".0"));
      }
    };
    votes(false, false);
    votes(false, true);
    votes(true, false);
  }
  return text + "\n";
}

inline std::string dcase_ust_taxonomy() {
  const Taxonomy taxonomy = known_taxonomy("sonyc_ust");
  std::string fine = "fine:\n", coarse = "coarse:\n";
  for (const std::size_t parent : taxonomy.top_level()) {
    const std::string& tag = taxonomy.tags[parent];
    coarse += "    " + tag.substr(0, 1) + ": " + tag.substr(2) + "\n";
    fine += "    " + tag.substr(0, 1) + ":\n";
    for (const std::size_t member : taxonomy.members(parent))
      fine += "        " + taxonomy.tags[member].substr(2, 1) + ": " + taxonomy.tags[member].substr(4) + "\n";
  }
  return fine + "\n" + coarse;
}

inline std::vector<SonycFixtureRow> sonyc_rows() {
  const std::map<std::string, int> siren{{"5_alert-signal", 1}, {"5-3_siren", 1}};
  const std::map<std::string, int> dog{{"8_dog", 1}, {"8-1_dog-barking-whining", 1}};
  return {
      {"train", "1", "01_000001.wav", 11, siren, false}, {"train", "1", "01_000001.wav", 12, {}, false},
      {"train", "1", "01_000001.wav", 13, dog, false},   {"train", "2", "02_000002.wav", 11, dog, false},
      {"train", "2", "02_000002.wav", 14, dog, false},   {"validate", "0", "00_000003.wav", 11, siren, false},
      {"validate", "0", "00_000003.wav", -1, dog, true}, {"validate", "0", "00_000003.wav", -2, siren, true},
      {"validate", "0", "00_000003.wav", 0, dog, false}, {"validate", "0", "00_000004.wav", 12, siren, false},
      {"test", "3", "03_000005.wav", 0, siren, false}};
}

/// Release 2.3 when `place` is given, else 1.0.
inline Files sonyc_files(bool release_2) {
  Files files;
  files["annotations.csv"] = sonyc_csv(sonyc_rows(), release_2 ? "3,546,40.69,-73.99,2018,33,4,13" : "");
  files["dcase-ust-taxonomy.yaml"] = dcase_ust_taxonomy();
  add_recordings(files, release_2 ? "audio" : "train", {"01_000001.wav", "02_000002.wav"});
  add_recordings(files, release_2 ? "audio" : "validate", {"00_000003.wav", "00_000004.wav"});
  add_recordings(files, release_2 ? "audio" : "audio-eval", {"03_000005.wav"});
  return files;
}

/// @param extra a further segment of the training and one of the test ("b" of mobile, an unknown one of
/// openset), each "name scene identifier device".
inline Files tau_files(const std::vector<std::vector<std::string>>& extra = {}) {
  std::vector<std::vector<std::string>> rows{
      {"airport-barcelona-0-0-a.wav", "airport", "barcelona-0", "a"},
      {"metro_station-paris-12-340-a.wav", "metro_station", "paris-12", "a"},
      {"tram-vienna-285-8639-a.wav", "tram", "vienna-285", "a"},
      {"park-milan-5-77-a.wav", "park", "milan-5", "a"}};
  rows.insert(rows.end(), extra.begin(), extra.end());
  Files files;
  const std::string setup = "evaluation_setup/fold1_";
  files["meta.csv"] = "filename\tscene_label\tidentifier\tsource_label\n";
  files[setup + "train.csv"] = files[setup + "evaluate.csv"] = "filename\tscene_label\n";
  files[setup + "test.csv"] = "filename\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string file = "audio/" + rows[i][0];
    files["meta.csv"] += file + "\t" + rows[i][1] + "\t" + rows[i][2] + "\t" + rows[i][3] + "\n";
    files[file] = tiny_wav(static_cast<int>(i));
    if (i == 3) continue;  // Milan stays unused
    const bool train = i < 2 || i == 4;
    files[setup + (train ? "train.csv" : "evaluate.csv")] += file + "\t" + rows[i][1] + "\n";
    if (!train) files[setup + "test.csv"] += file + "\n";
  }
  return files;
}

inline Files tau_mobile_files() {
  return tau_files({{"airport-barcelona-0-0-b.wav", "airport", "barcelona-0", "b"},
                    {"tram-vienna-285-8639-c.wav", "tram", "vienna-285", "c"}});
}

inline Files tau_openset_files() {
  return tau_files({{"unknown-lyon-1-9-a.wav", "unknown", "lyon-1", "a"},
                    {"unknown-prague-7-11-a.wav", "unknown", "prague-7", "a"}});
}

/// The tags that a clip surely has.
inline std::vector<std::string> tags_of(const Dataset& data, const Clip& clip) {
  std::vector<std::string> tags;
  for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
    if (clip.targets[tag] == 1.0f) tags.push_back(data.tags[tag]);
  }
  return tags;
}

inline const Clip& clip_of(const Dataset& data, const std::string& id) {
  static const Clip kNone;
  for (const Clip& clip : data.clips) {
    if (clip.id == id) return clip;
  }
  ADD_FAILURE() << "there is no clip " << id;
  return kNone;
}

/// What load_dataset says in refusing; empty when it does not.
inline std::string refusal(const std::string& name, const Scratch& dir, const DatasetOptions& options = {}) {
  try {
    load_dataset(name, dir.path(), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadDataset);
    return error.what();
  }
  return "";
}

inline void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// Replaces the first occurrence, which must be there.
inline std::string with(std::string text, const std::string& old, const std::string& now) {
  const std::size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return at == std::string::npos ? text : text.replace(at, old.size(), now);
}

}  // namespace earmark::testing
