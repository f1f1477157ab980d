#include "core/taxonomy.h"

#include <gtest/gtest.h>

#include <set>

#include "core/rng.h"
#include "earmark/error.h"
#include "fuzz.h"
#include "mutate.h"

namespace earmark {
namespace {

using Names = std::vector<std::string>;

constexpr const char* kStreet =
    "taxonomy: 1\n"
    "name: street\n"
    "tags:\n"
    "  - rain\n"
    "  - {name: engine, members: [small, large], other: engine_of_uncertain_size}\n"
    "  - name: dog\n"
    "    members:\n"
    "      - bark\n";

TEST(Taxonomy, UpperLevelComesFirstThenTheMembersOfEach) {
  const Taxonomy taxonomy = Taxonomy::parse(kStreet, "street.yaml");
  EXPECT_EQ(taxonomy.name, "street");
  EXPECT_EQ(taxonomy.tags,
            (Names{"rain", "engine", "dog", "small", "large", "engine_of_uncertain_size", "bark"}));
  EXPECT_EQ(taxonomy.parents, (std::vector<int>{-1, -1, -1, 1, 1, 1, 2}));
  EXPECT_EQ(taxonomy.is_other, (std::vector<bool>{false, false, false, false, false, true, false}));
  EXPECT_FALSE(taxonomy.is_flat());
  EXPECT_EQ(taxonomy.top_level(), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(taxonomy.members(1), (std::vector<std::size_t>{3, 4, 5}));
  EXPECT_TRUE(taxonomy.members(0).empty());
  EXPECT_EQ(taxonomy.index("large"), 4U);
  EXPECT_FALSE(taxonomy.index("Large"));
}

TEST(Taxonomy, AListOfNamesIsFlat) {
  EXPECT_TRUE(Taxonomy::parse("taxonomy: 1\nname: x\ntags: [a, b]\n", "x.yaml").is_flat());
}

std::string refusal_of(const std::string& yaml) {
  try {
    Taxonomy::parse(yaml, "x.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    return error.what();
  }
  return "";
}

TEST(Taxonomy, EveryProblemIsNamedWithItsLine) {
  const std::string text = refusal_of(
      "taxonomy: 2\n"
      "title: x\n"
      "tags:\n"
      "  - a\n"
      "  - a\n"
      "  - 3\n"
      "  - {members: [b]}\n"
      "  - {name: c, members: d}\n"
      "  - {name: e, others: f, members: [a]}\n");
  for (const char* part :
       {"x.yaml:1: taxonomy: must be 1", "x.yaml:2: title: unknown", "name: must be there and a text",
        "x.yaml:5: tags: 'a' is there already", "x.yaml:6: tags: must be the name of a tag, got 3",
        "x.yaml:7: name: is missing", "x.yaml:8: members: must be a list, got 'd'",
        "x.yaml:9: others: unknown", "x.yaml:9: members: 'a' is there already"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  }
}

TEST(Taxonomy, NothingOrNoTagsAreRefused) {
  for (const char* yaml : {"", "[]", "taxonomy: 1\nname: x\ntags: []\n", "taxonomy: 1\nname: x\n", "a: ["})
    EXPECT_NE(refusal_of(yaml), "") << yaml;
}

TEST(Taxonomy, MutatedDeclarationsReadOrAreRefused) {
  std::size_t n_read = 0, n_refused = 0;
  testing::fuzz("mutate_taxonomy", 5000, [&](Rng& rng) {
    const std::string text = testing::mutated(kStreet, 1 + rng.below(4), rng);
    try {
      const Taxonomy taxonomy = Taxonomy::parse(text, "x.yaml");
      ++n_read;
      ASSERT_FALSE(taxonomy.tags.empty());
      ASSERT_EQ(taxonomy.parents.size(), taxonomy.size());
      ASSERT_EQ(taxonomy.is_other.size(), taxonomy.size());
      ASSERT_EQ(std::set<std::string>(taxonomy.tags.begin(), taxonomy.tags.end()).size(), taxonomy.size());
      for (const int parent : taxonomy.parents) ASSERT_LT(parent, static_cast<int>(taxonomy.size()));
    } catch (const Error& error) {
      ++n_refused;
      ASSERT_EQ(error.code(), ErrorCode::kBadFile) << text;
      ASSERT_NE(std::string(error.what()).find("x.yaml"), std::string::npos) << error.what();
    }
  });
  EXPECT_GT(n_read, 100U);
  EXPECT_GT(n_refused, 100U);
}

}  // namespace
}  // namespace earmark
