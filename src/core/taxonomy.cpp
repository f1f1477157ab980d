#include "core/taxonomy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/value.h"
#include "earmark/error.h"

namespace earmark {
namespace {

struct Node {
  std::string name;
  std::vector<std::string> members;
  bool has_other = false;  // then the last member is it
};

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  void problem(const Value& at, const std::string& what) {
    problems_.push_back(fmt::format("{}:{}: {}", file_, at.line, what));
  }

  std::string tag_name(const Value& value, const char* field) {
    if (!value.is_string() || value.as_string().empty()) {
      problem(value, fmt::format("{}: must be the name of a tag, got {}", field, value.describe()));
      return {};
    }
    if (!names_.insert(value.as_string()).second)
      problem(value, fmt::format("{}: '{}' is there already", field, value.as_string()));
    return value.as_string();
  }

  Node node(const Value& value) {
    Node node;
    if (!value.is_map()) {
      node.name = tag_name(value, "tags");
      return node;
    }
    for (const auto& [key, field] : value.as_map()) {
      if (key != "name" && key != "members" && key != "other")
        problem(field, fmt::format("{}: unknown; a tag has name, members, other", key));
    }
    const Value* name = value.find("name");
    if (name == nullptr) {
      problem(value, "name: is missing");
    } else {
      node.name = tag_name(*name, "name");
    }
    if (const Value* members = value.find("members"); members != nullptr && !members->is_list()) {
      problem(*members, fmt::format("members: must be a list, got {}", members->describe()));
    } else if (members != nullptr) {
      for (const Value& member : members->as_list()) node.members.push_back(tag_name(member, "members"));
    }
    if (const Value* other = value.find("other"); other != nullptr) {
      node.members.push_back(tag_name(*other, "other"));
      node.has_other = true;
    }
    return node;
  }

  void finish() const {
    if (!problems_.empty())
      throw Error(ErrorCode::kBadFile, fmt::format("taxonomy: {}", fmt::join(problems_, "\n  ")));
  }

 private:
  const std::string& file_;
  std::set<std::string> names_;
  std::vector<std::string> problems_;
};

Taxonomy flattened(const std::vector<Node>& nodes) {
  Taxonomy taxonomy;
  for (const Node& node : nodes) taxonomy.tags.push_back(node.name);
  taxonomy.parents.assign(nodes.size(), -1);
  taxonomy.is_other.assign(nodes.size(), false);
  for (std::size_t parent = 0; parent < nodes.size(); ++parent) {
    for (const std::string& member : nodes[parent].members) {
      taxonomy.tags.push_back(member);
      taxonomy.parents.push_back(static_cast<int>(parent));
      taxonomy.is_other.push_back(nodes[parent].has_other && member == nodes[parent].members.back());
    }
  }
  return taxonomy;
}

}  // namespace

bool Taxonomy::is_flat() const noexcept {
  return std::all_of(parents.begin(), parents.end(), [](int parent) { return parent < 0; });
}

std::optional<std::size_t> Taxonomy::index(std::string_view tag) const noexcept {
  const auto found = std::find(tags.begin(), tags.end(), tag);
  if (found == tags.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tags.begin());
}

std::vector<std::size_t> Taxonomy::members(std::size_t tag) const {
  std::vector<std::size_t> below;
  for (std::size_t i = 0; i < parents.size(); ++i) {
    if (parents[i] == static_cast<int>(tag)) below.push_back(i);
  }
  return below;
}

std::vector<std::size_t> Taxonomy::top_level() const {
  std::vector<std::size_t> top;
  for (std::size_t i = 0; i < parents.size(); ++i) {
    if (parents[i] < 0) top.push_back(i);
  }
  return top;
}

Taxonomy Taxonomy::parse(std::string_view yaml, const std::string& file) {
  const Value root = parse_yaml(std::string(yaml), file);
  Reader reader(file);
  std::string name;
  std::vector<Node> nodes;
  if (!root.is_map()) {
    reader.problem(root, fmt::format("must be a map with taxonomy, name, tags; got {}", root.describe()));
    reader.finish();
  }
  for (const auto& [key, field] : root.as_map()) {
    if (key != "taxonomy" && key != "name" && key != "tags")
      reader.problem(field, fmt::format("{}: unknown; there are taxonomy, name, tags", key));
  }
  const Value* version = root.find("taxonomy");
  if (version == nullptr || !version->is_integer() || version->as_integer() != 1) {
    reader.problem(version == nullptr ? root : *version,
                   fmt::format("taxonomy: must be 1, the version of this form; got {}",
                               version == nullptr ? "nothing" : version->describe()));
  }
  if (const Value* field = root.find("name"); field != nullptr && field->is_string()) {
    name = field->as_string();
  } else {
    reader.problem(root, "name: must be there and a text");
  }
  if (const Value* tags = root.find("tags"); tags != nullptr && tags->is_list() && !tags->as_list().empty()) {
    for (const Value& tag : tags->as_list()) nodes.push_back(reader.node(tag));
  } else {
    reader.problem(root, "tags: must be there and a list with at least one tag");
  }
  reader.finish();
  Taxonomy taxonomy = flattened(nodes);
  taxonomy.name = std::move(name);
  return taxonomy;
}

}  // namespace earmark
