#include "core/csv.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "earmark/error.h"
#include "fuzz.h"

namespace earmark {
namespace {

using Fields = std::vector<std::string>;

std::vector<std::string> csv_problems(std::string_view text) {
  try {
    CsvTable::parse(text, "t.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    return error.problems();
  }
  return {};
}

TEST(CsvTable, ReadsWhatProgramsWrite) {
  const auto table = CsvTable::parse(
      "\xEF\xBB\xBF"
      "a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n,last",
      "t.csv");
  EXPECT_EQ(table.columns(), (Fields{"a", "b"}));
  ASSERT_EQ(table.rows().size(), 2U);
  EXPECT_EQ(table.rows()[0].fields, (Fields{"1", "x, \"y\"\nz"}));
  EXPECT_EQ(table.rows()[0].line, 2);
  EXPECT_EQ(table.rows()[1].fields, (Fields{"", "last"}));
  EXPECT_EQ(table.rows()[1].line, 5);
  EXPECT_EQ(table.column("b"), 1U);
  EXPECT_FALSE(table.column("c"));
}

TEST(CsvTable, AnotherSeparator) {
  EXPECT_EQ(CsvTable::parse("a\tb\n1,5\t2\n", "t.tsv", '\t').rows()[0].fields, (Fields{"1,5", "2"}));
}

TEST(CsvTable, EveryBadRowIsNamedByItsLine) {
  EXPECT_EQ(
      csv_problems("a,b\n1\n1,2\n1,2,3\nx\"y,2\n\"x\"y,2\n"),
      (Fields{"t.csv:5: a quote in the middle of an unquoted field", "t.csv:6: text follows a closing quote",
              "t.csv:2: 1 fields, the header has 2", "t.csv:4: 3 fields, the header has 2"}));
  EXPECT_EQ(csv_problems("a\n1\n\"never\nclosed"), Fields{"t.csv:3: a quoted field is never closed"});
  EXPECT_EQ(csv_problems(""), Fields{"t.csv: there is no header line"});
  EXPECT_EQ(csv_problems(std::string_view("a\nx\0y\n", 6)), Fields{"t.csv:2: a zero byte: this is no text"});
  EXPECT_THROW(CsvTable::read("/no/such/file.csv"), Error);
}

TEST(CsvTable, MissingColumnsAreAllNamed) {
  try {
    (void)CsvTable::parse("a,b\n", "t.csv").require({"x", "a", "y"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.problems().size(), 2U);
  }
}

TEST(CsvLine, ComesBackAsItWas) {
  const Fields fields{"plain", "", "with,comma", "with \"quotes\"", "two\nlines", " blanks ", "\xC3\xA9"};
  std::vector<std::string> problems;
  const auto rows = parse_csv_rows(csv_line(fields), "t.csv", ',', problems);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].fields, fields);
  EXPECT_TRUE(problems.empty());
}

TEST(CsvTable, SurvivesAnyText) {
  constexpr std::string_view kAlphabet("a,\"\r\n;\0\xEF\xBB\xBF", 10);
  testing::fuzz("fuzz csv", 20000, [&](Rng& rng) {
    std::string text;
    for (std::uint64_t n = rng.below(60); n > 0; --n) text += kAlphabet[rng.below(kAlphabet.size())];
    std::vector<std::string> problems;
    std::size_t n_bytes = 0;
    for (const CsvRow& row : parse_csv_rows(text, "t.csv", ',', problems)) {
      for (const std::string& field : row.fields) n_bytes += field.size();
    }
    ASSERT_LE(n_bytes, text.size());
    ASSERT_LE(problems.size(), text.size());
  });
}

}  // namespace
}  // namespace earmark
