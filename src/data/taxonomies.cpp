#include "data/taxonomies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/value.h"
#include "data/embedded_texts.h"
#include "data/parse.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::string_view kOther = "X";

/// One tag of the official file: its number ("1", "X") and the name that the prediction files give it.
struct NumberedTag {
  std::string number, tag;
};

class DcaseUstReader {
 public:
  DcaseUstReader(std::string_view yaml, const std::string& file)
      : file_(file), root_(parse_yaml(std::string(yaml), file)) {}

  Taxonomy read() {
    taxonomy_.name = "dcase-ust-taxonomy";
    const std::vector<NumberedTag> coarse = tags_of(map("coarse"), "");
    const Value* fine = map("fine");
    for (const NumberedTag& parent : coarse) {
      if (parent.number == kOther) problem(root_, "coarse: a category has a number, got X");
      add(parent.tag, -1, false);
    }
    if (fine != nullptr) check_parents(*fine, coarse);
    for (std::size_t i = 0; fine != nullptr && i < coarse.size(); ++i) read_members(*fine, coarse[i], i);
    if (!problems_.empty()) throw Error(ErrorCode::kBadFile, file_ + " is no taxonomy", problems_);
    return std::move(taxonomy_);
  }

 private:
  void problem(const Value& at, const std::string& what) {
    problems_.push_back(fmt::format("{}:{}: {}", file_, at.line, what));
  }

  const Value* map(const char* key) {
    const Value* found = root_.find(key);
    if (found != nullptr && found->is_map()) return found;
    problem(found == nullptr ? root_ : *found, fmt::format("{}: must be there and a map", key));
    return nullptr;
  }

  void add(const std::string& tag, int parent, bool is_other) {
    taxonomy_.tags.push_back(tag);
    taxonomy_.parents.push_back(parent);
    taxonomy_.is_other.push_back(is_other);
  }

  // The X last, as the prediction files have it.
  std::vector<NumberedTag> tags_of(const Value* map, const std::string& prefix) {
    std::vector<NumberedTag> tags;
    if (map == nullptr) return tags;
    for (const auto& [number, name] : map->as_map()) {
      const auto value = parse_number<int>(number);
      if (number != kOther && (!value || *value < 1)) {
        problem(name, fmt::format("the number of a tag must be 1, 2, ... or X, got '{}'", number));
      } else if (!name.is_string() || name.as_string().empty()) {
        problem(name, fmt::format("the name of tag {} must be a text, got {}", number, name.describe()));
      } else {
        tags.push_back({number, fmt::format("{}{}_{}", prefix, number, name.as_string())});
      }
    }
    std::stable_partition(tags.begin(), tags.end(),
                          [](const NumberedTag& tag) { return tag.number != kOther; });
    return tags;
  }

  void check_parents(const Value& fine, const std::vector<NumberedTag>& coarse) {
    for (const auto& [number, members] : fine.as_map()) {
      const bool known = std::any_of(coarse.begin(), coarse.end(),
                                     [&](const NumberedTag& parent) { return parent.number == number; });
      if (!known) problem(members, fmt::format("fine: there is no coarse category {}", number));
    }
  }

  void read_members(const Value& fine, const NumberedTag& parent, std::size_t index) {
    const Value* members = fine.find(parent.number);
    if (members == nullptr || !members->is_map()) {
      return problem(members == nullptr ? fine : *members,
                     fmt::format("fine: category {} must be there and a map", parent.number));
    }
    for (const NumberedTag& member : tags_of(members, parent.number + "-"))
      add(member.tag, static_cast<int>(index), member.number == kOther);
  }

  const std::string& file_;
  Value root_;
  Taxonomy taxonomy_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> taxonomy_names() {
  std::vector<std::string> names;
  for (const EmbeddedText& text : kTaxonomyTexts) names.emplace_back(text.name);
  std::sort(names.begin(), names.end());
  return names;
}

Taxonomy known_taxonomy(std::string_view name) {
  for (const EmbeddedText& text : kTaxonomyTexts) {
    if (text.name == name) return Taxonomy::parse(text.text, fmt::format("{}.yaml", name));
  }
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("taxonomy: must be one of {}, got '{}'", fmt::join(taxonomy_names(), ", "), name));
}

void use_taxonomy(Dataset& data, const Taxonomy& taxonomy) {
  data.tags = taxonomy.tags;
  if (taxonomy.is_flat()) return;
  data.parents = taxonomy.parents;
  data.is_other = taxonomy.is_other;
}

Taxonomy parse_dcase_ust_taxonomy(std::string_view yaml, const std::string& file) {
  return DcaseUstReader(yaml, file).read();
}

std::string dcase_ust_taxonomy_text(const Taxonomy& taxonomy) {
  // "1-X_engine-of-uncertain-size": the number after the dash, the name after the underscore.
  const auto entry = [](const std::string& tag, std::size_t number_from) {
    const std::size_t end = tag.find('_');
    return fmt::format("{}: {}\n", tag.substr(number_from, end - number_from), tag.substr(end + 1));
  };
  std::string fine = "fine:\n", coarse = "coarse:\n";
  for (const std::size_t parent : taxonomy.top_level()) {
    const std::string& tag = taxonomy.tags[parent];
    coarse += "  " + entry(tag, 0);
    fine += fmt::format("  {}:\n", tag.substr(0, tag.find('_')));
    for (const std::size_t member : taxonomy.members(parent))
      fine += "    " + entry(taxonomy.tags[member], taxonomy.tags[member].find('-') + 1);
  }
  return fine + "\n" + coarse;
}

std::vector<std::string> taxonomy_differences(const Taxonomy& found, const Taxonomy& expected,
                                              const std::string& file) {
  std::vector<std::string> differences;
  for (const std::string& tag : expected.tags) {
    if (!found.index(tag)) differences.push_back(fmt::format("{}: tag '{}' is not there", file, tag));
  }
  for (const std::string& tag : found.tags) {
    if (!expected.index(tag)) differences.push_back(fmt::format("{}: tag '{}' is not known", file, tag));
  }
  const bool same =
      found.tags == expected.tags && found.parents == expected.parents && found.is_other == expected.is_other;
  if (differences.empty() && !same)
    differences.push_back(file + ": the tags are known, but stand in another order or below others");
  return differences;
}

}  // namespace earmark
