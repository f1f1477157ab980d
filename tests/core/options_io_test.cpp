#include "core/options_io.h"

#include <gtest/gtest.h>

#include "earmark/error.h"

namespace earmark {

enum class Colour { kRed, kGreen };
template <>
struct EnumNames<Colour> {
  static constexpr std::array kNames{std::pair{Colour::kRed, std::string_view("red")},
                                     std::pair{Colour::kGreen, std::string_view("green")}};
};

namespace {

struct Circle {
  static constexpr std::string_view kKind = "circle";
  double radius = 1.0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("radius", self.radius, kPositive, "radius");
  }
};
struct Square {
  static constexpr std::string_view kKind = "square";
  double side = 2.0;
  Colour colour = Colour::kRed;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("side", self.side, kPositive, "length of a side");
    visit("colour", self.colour, kAny, "colour");
  }
};

struct Options {
  int count = 3;
  std::uint64_t seed = 0;
  double share = 0.5;
  double open = 0.5;
  float small = 0.1f;
  bool on = true;
  std::string name = "x";
  Colour colour = Colour::kRed;
  std::optional<int> limit = 7;
  std::vector<int> list{1, 2};
  std::variant<Circle, Square> shape;
  std::vector<std::variant<Circle, Square>> shapes;
  Circle circle;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("count", self.count, Range{1, 10}, "how many");
    visit("seed", self.seed, kNotNegative, "seed");
    visit("share", self.share, kProbability, "closed range");
    visit("open", self.open, Range{0, 1, true, true}, "open range");
    visit("small", self.small, kAny, "a float");
    visit("on", self.on, kAny, "switch");
    visit("name", self.name, kAny, "text");
    visit("colour", self.colour, kAny, "enum");
    visit("limit", self.limit, kNotNegative, "optional");
    visit("list", self.list, Range{0, 5}, "list");
    visit("shape", self.shape, kAny, "variant");
    visit("shapes", self.shapes, kAny, "variants");
    visit("circle", self.circle, kAny, "struct");
  }
};

std::vector<std::string> problems_of(const std::string& yaml, Options& options) {
  std::vector<std::string> problems;
  read_options(parse_yaml(yaml, "test"), options, "top", problems);
  return problems;
}
std::vector<std::string> problems_of(const std::string& yaml) {
  Options options;
  return problems_of(yaml, options);
}
bool is_fine(const std::string& yaml) { return problems_of(yaml).empty(); }

TEST(ReadOptions, WhatIsNotWrittenKeepsItsDefault) {
  Options options;
  EXPECT_TRUE(problems_of("count: 4", options).empty());
  EXPECT_EQ(options.count, 4);
  EXPECT_EQ(options.share, 0.5);
  EXPECT_EQ(options.list, (std::vector<int>{1, 2}));
}

TEST(ReadOptions, UnknownKeySuggestsTheNearest) {
  const auto problems = problems_of("{cuont: 4}");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("top.cuont"), std::string::npos) << problems[0];
  EXPECT_NE(problems[0].find("did you mean 'count'"), std::string::npos) << problems[0];
  EXPECT_NE(problems[0].find("line 1"), std::string::npos) << problems[0];
}

TEST(ReadOptions, UnknownKeyFarFromAllListsThem) {
  const auto problems = problems_of("{zzzzzzzzzzzz: 4}");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("options: count, seed"), std::string::npos) << problems[0];
}

TEST(ReadOptions, ClosedRangesHoldTheirEndsAndOpenOnesDoNot) {
  EXPECT_TRUE(is_fine("{share: 0}"));
  EXPECT_TRUE(is_fine("{share: 1}"));
  EXPECT_FALSE(is_fine("{share: 1.0001}"));
  EXPECT_FALSE(is_fine("{open: 0}"));
  EXPECT_FALSE(is_fine("{open: 1.0}"));
  EXPECT_TRUE(is_fine("{open: 0.999}"));
  EXPECT_FALSE(is_fine("{list: [1, 6]}"));
  EXPECT_NE(problems_of("{list: [1, 6]}")[0].find("top.list[1]"), std::string::npos);
}

TEST(ReadOptions, EveryProblemIsNamedAtOnceWithItsLine) {
  const auto problems = problems_of("count: 11\nshare: no\nname: 3\non: 1\ncolour: blue\nnonsense: 1\n");
  ASSERT_EQ(problems.size(), 6U);
  EXPECT_NE(problems[0].find("line 1"), std::string::npos) << problems[0];
  EXPECT_NE(problems[0].find("got 11"), std::string::npos) << problems[0];
  EXPECT_NE(problems[1].find("got 'no' (line 2)"), std::string::npos) << problems[1];
  EXPECT_NE(problems[4].find("red, green"), std::string::npos) << problems[4];
}

TEST(ReadOptions, NumbersAreNotTakenFromTextsNorWholeOnesFromReals) {
  EXPECT_FALSE(is_fine("{share: '0.5'}"));
  EXPECT_FALSE(is_fine("{count: 2.5}"));
  EXPECT_FALSE(is_fine("{count: 3000000000}"));
  EXPECT_FALSE(is_fine("{seed: -1}"));
  EXPECT_TRUE(is_fine("{seed: 9000000000000000000}"));
}

TEST(ReadOptions, OptionalsAreEmptiedByNull) {
  Options options;
  EXPECT_TRUE(problems_of("limit: null", options).empty());
  EXPECT_FALSE(options.limit.has_value());
  EXPECT_TRUE(problems_of("limit: 3", options).empty());
  EXPECT_EQ(options.limit, 3);
  EXPECT_FALSE(is_fine("limit: -3"));
}

TEST(ReadOptions, VariantsAreChosenByKindAloneOrInAMap) {
  Options options;
  EXPECT_TRUE(problems_of("shape: square", options).empty());
  EXPECT_EQ(std::get<Square>(options.shape).side, 2.0);
  EXPECT_TRUE(problems_of("shape: {kind: square, side: 5, colour: green}", options).empty());
  EXPECT_EQ(std::get<Square>(options.shape).side, 5.0);
  EXPECT_EQ(std::get<Square>(options.shape).colour, Colour::kGreen);
  EXPECT_TRUE(problems_of("shape: {side: 6}", options).empty()) << "without a kind the present one is kept";
  EXPECT_EQ(std::get<Square>(options.shape).side, 6.0);
  EXPECT_EQ(std::get<Square>(options.shape).colour, Colour::kGreen);
  const auto problems = problems_of("shape: triangle");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("circle, square"), std::string::npos) << problems[0];
  EXPECT_FALSE(is_fine("shape: {kind: circle, side: 5}"));
}

TEST(ReadOptions, ListsOfVariantsNameTheElement) {
  const auto problems = problems_of("shapes: [{kind: circle}, {kind: square, side: -1}]");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("top.shapes[1].side"), std::string::npos) << problems[0];
}

TEST(WriteOptions, ReadsBackTheSameThroughYaml) {
  Options options;
  options.count = 9;
  options.small = 0.3f;
  options.limit.reset();
  options.shape = Square{7.0, Colour::kGreen};
  options.shapes = {Circle{3.0}, Square{}};
  const Value written = write_options(options);
  Options back;
  std::vector<std::string> problems;
  read_options(parse_yaml(to_yaml(written), "a"), back, "", problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(write_options(back), written);
  EXPECT_EQ(back.small, 0.3f);
  EXPECT_NE(to_yaml(written).find("small: 0.3\n"), std::string::npos) << "a float has its shortest text";
}

TEST(RangeProblems, NamesFieldsThatCodeSetOutOfRange) {
  Options options;
  EXPECT_TRUE(range_problems(options).empty());
  options.count = 0;
  options.circle.radius = 0.0;
  const auto problems = range_problems(options);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].rfind("count: ", 0), 0U) << problems[0];
  EXPECT_EQ(problems[1].rfind("circle.radius: ", 0), 0U) << problems[1];
}

TEST(DocumentOptions, EveryFieldHasItsTypeDefaultAndText) {
  const auto docs = document_options<Options>();
  const auto find = [&](const std::string& path) -> const OptionDoc* {
    for (const OptionDoc& doc : docs) {
      if (doc.path == path) return &doc;
    }
    return nullptr;
  };
  ASSERT_NE(find("count"), nullptr);
  EXPECT_EQ(find("count")->type, "whole number in [1, 10]");
  EXPECT_EQ(find("count")->fallback, "3");
  EXPECT_EQ(find("colour")->type, "one of: red, green");
  ASSERT_NE(find("shape(square).side"), nullptr);
  ASSERT_NE(find("circle.radius"), nullptr);
  EXPECT_EQ(find("open")->type, "number in (0, 1)");
}

}  // namespace
}  // namespace earmark
