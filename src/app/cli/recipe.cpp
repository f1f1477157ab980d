#include "recipe/recipe.h"

#include <fmt/format.h>

#include "app/cli/command.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

struct RecipeFlags {
  std::string recipe;
  std::vector<std::string> overrides;
  bool json = false;

  Recipe load() const { return load_recipe(recipe, overrides); }
};

Value strings(const std::vector<std::string>& texts) {
  return Value(Value::List(texts.begin(), texts.end()));
}

Value option_docs() {
  Value options{Value::List()};
  for (const OptionDoc& doc : document_options<Recipe>()) {
    options.push_back(Value(Value::Map{{"option", Value(doc.path)},
                                       {"type", Value(doc.type)},
                                       {"default", doc.fallback.empty() ? Value() : Value(doc.fallback)},
                                       {"meaning", Value(doc.doc)}}));
  }
  return options;
}

int list_recipes(const RecipeFlags& flags) {
  std::string text;
  for (const std::string& name : shipped_recipes()) text += name + "\n";
  print(flags.json ? to_json(strings(shipped_recipes()), 2) + "\n" : text);
  return kDone;
}

int show_reference(const RecipeFlags& flags) {
  print(flags.json ? to_json(option_docs(), 2) + "\n" : recipe_reference());
  return kDone;
}

int show_recipe(const RecipeFlags& flags) {
  const Recipe recipe = flags.load();
  if (flags.json) {
    Value answer;
    answer.set("name", flags.recipe);
    answer.set("recipe", write_options(recipe));
    answer.set("options", option_docs());
    print(to_json(answer, 2) + "\n");
    return kDone;
  }
  print(recipe_to_yaml(recipe) + "\n# what each option means\n");
  for (const OptionDoc& doc : document_options<Recipe>()) {
    print(fmt::format("# {:<36} {}  [{}{}]\n", doc.path, doc.doc, doc.type,
                      doc.fallback.empty() ? "" : "; default " + doc.fallback));
  }
  return kDone;
}

// As JSON its problems are the answer, too.
int check_recipe(const RecipeFlags& flags) {
  std::vector<std::string> problems;
  try {
    flags.load();
  } catch (const Error& e) {
    if (!flags.json || e.code() != ErrorCode::kBadRecipe) throw;
    problems = e.problems();
  }
  if (flags.json) {
    print(to_json(Value(Value::Map{{"name", Value(flags.recipe)}, {"problems", strings(problems)}}), 2) +
          "\n");
  } else {
    print(flags.recipe + ": no problems\n");
  }
  return problems.empty() ? kDone : kBadUsage;
}

}  // namespace

void add_recipe(Program& program) {
  CLI::App* verb = program.add_verb(
      "recipe", "Lists, shows and checks recipes",
      "  earmark recipe list\n  earmark recipe show esc10/upb_crnn\n  earmark recipe check my.yaml "
      "--set train.iterations=300\n",
      nullptr);
  verb->require_subcommand(1);
  verb->fallthrough();
  auto flags = std::make_shared<RecipeFlags>();
  add_idle_threads_option(verb);
  verb->add_flag("--json", flags->json, "the answer as JSON on stdout");
  auto add = [&](const char* name, const char* description, int (*body)(const RecipeFlags&)) {
    CLI::App* action = verb->add_subcommand(name, description);
    action->fallthrough();
    action->parse_complete_callback(
        [&program, body, flags] { program.run = [body, flags] { return body(*flags); }; });
    return action;
  };
  const auto take_recipe = [flags](CLI::App* action) {
    action->add_option("recipe", flags->recipe, "file, or the name of a recipe that ships")->required();
    action
        ->add_option("--set", flags->overrides,
                     "key.path=value, replaces an option of the recipe; may be repeated")
        ->allow_extra_args(false);
  };
  add("list", "names the recipes that ship", list_recipes);
  add("reference", "every option of a recipe, as Markdown", show_reference);
  take_recipe(
      add("show", "prints a recipe with every default spelt out, and what each option means", show_recipe));
  take_recipe(add("check", "reads a recipe and names every problem in it", check_recipe));
}

}  // namespace earmark::cli
