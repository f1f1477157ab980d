#include "data/taxonomies.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/rng.h"
#include "data/dataset_fixture.h"
#include "fuzz.h"
#include "golden_path.h"
#include "mutate.h"

namespace earmark {
namespace {

using namespace testing;
using Names = std::vector<std::string>;

TEST(KnownTaxonomies, HaveTheSizesOfTheirPapers) {
  EXPECT_EQ(taxonomy_names(), (Names{"esc50", "fsdkaggle2018", "fsdkaggle2019", "sonyc_ust", "tau_scenes2019",
                                     "tau_scenes2019_openset"}));
  const std::map<std::string, std::size_t> sizes{{"esc50", 50},          {"fsdkaggle2018", 41},
                                                 {"fsdkaggle2019", 80},  {"sonyc_ust", 37},
                                                 {"tau_scenes2019", 10}, {"tau_scenes2019_openset", 11}};
  for (const auto& [name, size] : sizes) {
    const Taxonomy taxonomy = known_taxonomy(name);
    EXPECT_EQ(taxonomy.size(), size) << name;
    EXPECT_EQ(taxonomy.name, name);
    EXPECT_EQ(taxonomy.is_flat(), name != "sonyc_ust");
  }
  EXPECT_THROW(known_taxonomy("audioset"), Error);
}

TEST(KnownTaxonomies, SonycHasEightCategoriesOfTheKnownSizes) {
  const Taxonomy taxonomy = known_taxonomy("sonyc_ust");
  ASSERT_EQ(taxonomy.top_level().size(), 8U);
  std::vector<std::size_t> with_other, complete;
  for (const std::size_t parent : taxonomy.top_level()) {
    const auto members = taxonomy.members(parent);
    with_other.push_back(members.size());
    complete.push_back(members.size() - taxonomy.is_other[members.back()]);
  }
  EXPECT_EQ(with_other, (std::vector<std::size_t>{4, 5, 1, 4, 5, 4, 5, 1}));
  EXPECT_EQ(complete, (std::vector<std::size_t>{3, 4, 1, 3, 4, 3, 4, 1}));
  EXPECT_EQ(taxonomy.tags[0], "1_engine");
  EXPECT_EQ(taxonomy.tags[8], "1-1_small-sounding-engine");
  EXPECT_EQ(taxonomy.tags[11], "1-X_engine-of-uncertain-size");
  EXPECT_EQ(taxonomy.tags[36], "8-1_dog-barking-whining");
}

TEST(DcaseUstTaxonomy, ReadsAsTheKnownOne) {
  const Taxonomy read = parse_dcase_ust_taxonomy(dcase_ust_taxonomy(), "t.yaml");
  EXPECT_EQ(taxonomy_differences(read, known_taxonomy("sonyc_ust"), "t.yaml"), Names{});
}

TEST(DcaseUstTaxonomy, TheOfficialFileAgreesWithTheKnownOne) {
  EARMARK_NEEDS(root, "EARMARK_DATA");
  const Taxonomy read =
      parse_dcase_ust_taxonomy(read_text(root / "SONYC-UST-v1/dcase-ust-taxonomy.yaml"), "official");
  EXPECT_EQ(taxonomy_differences(read, known_taxonomy("sonyc_ust"), "official"), Names{});
}

TEST(DcaseUstTaxonomy, EveryProblemIsNamedWithItsLine) {
  try {
    parse_dcase_ust_taxonomy(
        "fine:\n  1:\n    1: a\n    y: b\n    2: []\n  9:\n    1: c\ncoarse:\n  1: one\n  2: two\n  X: "
        "three\n",
        "t.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    expect_parts(
        error.what(),
        {"t.yaml:4: the number of a tag must be 1, 2, ... or X, got 'y'",
         "t.yaml:5: the name of tag 2 must be a text, got a list", "fine: there is no coarse category 9",
         "fine: category 2 must be there and a map", "coarse: a category has a number, got X"});
  }
  EXPECT_THROW(parse_dcase_ust_taxonomy("", "t.yaml"), Error);
  EXPECT_THROW(parse_dcase_ust_taxonomy("coarse: 3", "t.yaml"), Error);
}

TEST(DcaseUstTaxonomy, AnotherOrderIsADifference) {
  Taxonomy swapped = known_taxonomy("sonyc_ust");
  std::swap(swapped.tags[8], swapped.tags[9]);
  EXPECT_EQ(taxonomy_differences(swapped, known_taxonomy("sonyc_ust"), "t.yaml").size(), 1U);
}

TEST(DcaseUstTaxonomy, MutatedFilesReadOrAreRefused) {
  const std::string original = dcase_ust_taxonomy();
  std::size_t n_refused = 0, n_read = 0;
  testing::fuzz("mutate_dcase_ust_taxonomy", 3000, [&](Rng& rng) {
    const std::string text = mutated(original, 1 + rng.below(4), rng);
    try {
      const Taxonomy taxonomy = parse_dcase_ust_taxonomy(text, "t.yaml");
      ++n_read;
      ASSERT_EQ(taxonomy.parents.size(), taxonomy.size());
      ASSERT_EQ(taxonomy.is_other.size(), taxonomy.size());
      for (const int parent : taxonomy.parents) ASSERT_LT(parent, static_cast<int>(taxonomy.size()));
    } catch (const Error& error) {
      ++n_refused;
      ASSERT_EQ(error.code(), ErrorCode::kBadFile) << text;
      ASSERT_NE(std::string(error.what()).find("t.yaml"), std::string::npos) << error.what();
    }
  });
  EXPECT_GT(n_read, 100U);
  EXPECT_GT(n_refused, 100U);
}

}  // namespace
}  // namespace earmark
