#include "core/value.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <string>

#include "earmark/error.h"

namespace earmark {
namespace {

std::string message_of(const std::string& yaml) {
  try {
    parse_yaml(yaml, "a.yaml");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadFile);
    return e.what();
  }
  return "";
}

TEST(ParseYaml, ScalarsHaveTheKindsOfTheCoreSchema) {
  const Value v =
      parse_yaml("[1e-3, 3.0e-4, 3, +4, -5, 1.5, true, False, null, ~, abc, 0x1F, yes, 1_000, '', .5]", "a");
  const Value::List& list = v.as_list();
  EXPECT_DOUBLE_EQ(list[0].as_number(), 1e-3);
  EXPECT_FALSE(list[0].is_integer());
  EXPECT_DOUBLE_EQ(list[1].as_number(), 3e-4);
  EXPECT_EQ(list[2].as_integer(), 3);
  EXPECT_EQ(list[3].as_integer(), 4);
  EXPECT_EQ(list[4].as_integer(), -5);
  EXPECT_DOUBLE_EQ(list[5].as_number(), 1.5);
  EXPECT_TRUE(list[6].as_bool());
  EXPECT_FALSE(list[7].as_bool());
  EXPECT_TRUE(list[8].is_null());
  EXPECT_TRUE(list[9].is_null());
  for (std::size_t i = 10; i < 15; ++i) EXPECT_TRUE(list[i].is_string()) << i;
  EXPECT_DOUBLE_EQ(list[15].as_number(), 0.5);
}

TEST(ParseYaml, QuotedNumbersAndWordsStayTexts) {
  const Value v = parse_yaml("{a: '1', b: \"2.5\", c: \"true\", d: 'null'}", "a");
  for (const auto& [key, value] : v.as_map()) EXPECT_TRUE(value.is_string()) << key;
  EXPECT_EQ(v.at("b").as_string(), "2.5");
}

TEST(ParseYaml, DuplicateKeyIsNamedWithItsLine) {
  const std::string message = message_of("a: 1\nb: 2\na: 3\n");
  EXPECT_NE(message.find("'a' is given twice"), std::string::npos) << message;
  EXPECT_NE(message.find("a.yaml:3"), std::string::npos) << message;
}

TEST(ParseYaml, ASecondDocumentIsRefusedWithItsLine) {
  for (const char* text : {"a: 1\n---\nb: 2\n", "---\na: 1\n---\n", "a: 1\n...\n---\nb: [\n"}) {
    const std::string message = message_of(text);
    const std::string line = std::string(text).starts_with("a: 1\n---") ? "2" : "3";
    EXPECT_NE(message.find("a.yaml:" + line + ": a second document"), std::string::npos) << message;
  }
  EXPECT_NE(message_of("[1, 2] 3").find("a.yaml:1: "), std::string::npos) << "nor what follows the end";
  for (const char* text : {"---\na: 1\n", "---\na: 1\n...\n# end\n", "%YAML 1.2\n---\na: 1\n"})
    EXPECT_EQ(parse_yaml(text, "a").at("a").as_integer(), 1) << text;
  EXPECT_TRUE(parse_yaml("", "a").is_null());
  EXPECT_EQ(parse_yaml("a: |\n  x\n  ---\n", "a").at("a").as_string(), "x\n---\n");
}

TEST(ParseYaml, BrokenTextIsNamedWithLineAndColumn) {
  const std::string message = message_of("a: 1\nb: [1, 2\n");
  EXPECT_EQ(message.rfind("a.yaml:", 0), 0U) << message;
}

TEST(ParseYaml, SixtyFourLevelsReadAndMoreAreRefused) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_NO_THROW(parse_yaml(nested(60), "a"));
  EXPECT_THROW(parse_yaml(nested(70), "a"), Error);
  EXPECT_NO_THROW(parse_json(nested(60), "a"));
  EXPECT_THROW(parse_json(nested(70), "a"), Error);
  EXPECT_THROW(parse_json(std::string(1000000, '['), "a"), Error);
}

TEST(ParseYaml, LinesAreKeptForMessages) {
  const Value v = parse_yaml("a: 1\nb:\n  c: 2\n", "a");
  EXPECT_EQ(v.at("a").line, 1);
  EXPECT_EQ(v.at("b").at("c").line, 3);
}

Value awkward() {
  Value inner{Value::Map()}, v{Value::Map()};
  inner.set("text that: needs, quoting", "yes # no comment");
  inner.set("- dash", "- list?");
  inner.set("empty", "");
  inner.set("line", "two\nlines\tand a \"quote\" and a \\");
  inner.set("number as text", "12");
  inner.set("real as text", "1e3");
  inner.set("bool as text", "true");
  inner.set("null as text", "null");
  inner.set("blank ends", " x ");
  inner.set("other script", "Gerät, 狗");
  inner.set("long", std::string(300, 'x'));
  v.set("map", inner);
  v.set("list", Value::List{1, -2, 0.1, 1e-300, 1e300, 3.0, true, Value(), "x"});
  v.set("lists", Value::List{Value(Value::List{1, 2}), Value(Value::List{}), inner});
  v.set("empty map", Value(Value::Map()));
  v.set("largest", std::numeric_limits<std::int64_t>::max());
  v.set("smallest", std::numeric_limits<std::int64_t>::min());
  v.set("12", "a key that looks like a number");
  return v;
}

TEST(ToYaml, ReadsBackEqual) {
  const Value v = awkward();
  EXPECT_EQ(parse_yaml(to_yaml(v), "a"), v) << to_yaml(v);
}

TEST(ToJson, ReadsBackEqualOnOneLineAndOnMany) {
  const Value v = awkward();
  EXPECT_EQ(parse_json(to_json(v), "a"), v);
  EXPECT_EQ(parse_json(to_json(v, 2), "a"), v);
}

TEST(ToJson, WhatIsNoNumberBecomesNull) {
  EXPECT_EQ(to_json(Value(std::nan(""))), "null");
  EXPECT_EQ(to_json(Value(std::numeric_limits<double>::infinity())), "null");
}

TEST(ToJson, InvalidUtf8DoesNotThrow) { EXPECT_NO_THROW(to_json(Value("\xFF\xFE"))); }

TEST(ParseJson, WholeNumbersBeyond64BitsAreNotTakenForOthers) {
  // 2^64 - 1 has no place in a signed integer: it is read as a real number.
  const Value v = parse_json("18446744073709551615", "a");
  EXPECT_DOUBLE_EQ(v.as_number(), 18446744073709551615.0);
}

TEST(ParseJson, NumbersHaveTheKindsThatTheirTextSays) {
  const Value v =
      parse_json("[9223372036854775807, -9223372036854775808, 9223372036854775808, -0, 1.0, 1e2]", "a");
  const Value::List& list = v.as_list();
  EXPECT_EQ(list[0].as_integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(list[1].as_integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(list[2].is_integer());
  EXPECT_EQ(list[2].as_number(), 9223372036854775808.0);
  EXPECT_EQ(list[3].as_integer(), 0);
  EXPECT_FALSE(list[4].is_integer());
  EXPECT_FALSE(list[5].is_integer());
  EXPECT_THROW(parse_json("1e400", "a"), Error);
  EXPECT_THROW(parse_json("NaN", "a"), Error);
}

TEST(ParseJson, OfAKeyThatComesTwiceTheLastValueCountsAtTheFirstOnesPlace) {
  const Value v =
      parse_json(R"({"b": 1, "a": {"x": 1}, "b": [2], "c": 3, "a": {"y": {"z": 4, "z": 5}}, "b": 6})", "a");
  const Value wanted{
      Value::Map{{"b", 6}, {"a", Value(Value::Map{{"y", Value(Value::Map{{"z", 5}})}})}, {"c", 3}}};
  EXPECT_EQ(v, wanted) << to_json(v);
}

TEST(ParseJson, DamageIsToldWithItsPlace) {
  try {
    parse_json("{\"a\": 1,\n \"b\": }", "a.json");
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(std::string(e.what()).starts_with("a.json: is no JSON: parse error at line 2, column 7:"))
        << e.what();
  }
}

// Flow maps of `n_each` members each, `n` in all, which is JSON and YAML alike.
std::string maps_of(int n_each, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    text += i % n_each == 0 ? (i > 0 ? "},\n{" : "[{") : ",\n";
    text += "\"a key too long to stand within a string " + std::to_string(i) + "\": 0";
  }
  return text + "}]";
}

// Were each key compared with all before it, one map would take ten and more times as long as the same
// members in small ones; it takes about as long.
TEST(ParseValue, TimeGrowsWithTheNumberOfKeysNotWithItsSquare) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](auto&& parse, int n_each, int n) {
    const std::string text = maps_of(n_each, n);
    const auto begin = Clock::now();
    EXPECT_EQ(parse(text, "a").as_list().at(0).as_map().size(), static_cast<std::size_t>(n_each));
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  const auto json = [](const std::string& text, const char* name) { return parse_json(text, name); };
  EXPECT_LT(seconds(json, 100000, 100000), 5 * seconds(json, 10, 100000) + 1);
  EXPECT_LT(seconds(parse_yaml, 80000, 80000), 4 * seconds(parse_yaml, 10, 80000) + 1);
}

TEST(ParseJson, DamagedTextIsRefused) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":}", "nul", "\"\x01\"", "{} {}"})
    EXPECT_THROW(parse_json(text, "a"), Error) << text;
}

TEST(Value, WrongKindNamesWhatWasFound) {
  const Value v = parse_yaml("a: dog", "a");
  try {
    v.at("a").as_number();
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("'dog'"), std::string::npos) << e.what();
  }
  EXPECT_THROW(v.at("b"), Error);
  EXPECT_EQ(v.find("b"), nullptr);
}

TEST(ParseYaml, AliasesOfAliasesAreRefusedBeforeTheyFillTheMemory) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  try {
    parse_yaml(bomb, "bomb.yaml");
    FAIL() << "was accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("bomb.yaml: more than 1000000 values"), std::string::npos)
        << e.what();
  }
  EXPECT_EQ(parse_yaml("a: &a [1, 2]\nb: *a", "small").at("b").as_list().size(), 2U);
}

}  // namespace
}  // namespace earmark
