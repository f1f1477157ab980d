// clip_names.h: file names for the clips of a tagging job: they can be written on every file system, stay
// below their folder, are told apart whatever recordings and tags are called, and sort by time.
#pragma once
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "earmark/tagger.h"
#include "tagger/inputs.h"
#include "tagger/ledger.h"

namespace earmark {

/// The name without what file systems or shells trip over: control characters, / \ : * ? " < > |, outer
/// blanks, a first dot. Cut at a whole character to at most `max_bytes`. @param text any bytes.
std::string safe_name(std::string_view text, std::size_t max_bytes);

/// As safe_name(), and without "_", which parts the fields of a clip's name, and blanks; in order of `tags`,
/// no two alike even where upper and lower case are one.
std::vector<std::string> safe_tag_names(const std::vector<std::string>& tags);

/// For each input the folders and the name that its clips' names begin with, no two alike; "deep/a.wav".
/// @param given by input: those of a run that is resumed.
std::vector<std::string> clip_prefixes(const std::vector<TagInput>& inputs,
                                       const std::map<std::string, OwnFiles>& given = {});

/// "deep/a.wav_000012.500_dog.flac" for each event, no two alike. @param tag_names safe_tag_names().
std::vector<std::string> clip_names(const std::string& prefix, const std::vector<TagEvent>& events,
                                    const std::vector<std::string>& tag_names);

}  // namespace earmark
