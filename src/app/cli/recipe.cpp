#include <fmt/format.h>

#include "app/cli/command.h"
#include "recipe/recipe.h"

namespace earmark::cli {

void add_recipe(Program& program) {
  CLI::App* verb = program.add_verb(
      "recipe", "Lists, shows and checks recipes",
      "  earmark recipe list\n  earmark recipe show esc10/upb_crnn\n  earmark recipe check my.yaml "
      "--set train.iterations=300\n",
      nullptr);
  verb->require_subcommand(1);
  verb->fallthrough();
  auto add = [&](const char* name, const char* description, const std::function<int()>& body) {
    CLI::App* action = verb->add_subcommand(name, description);
    action->parse_complete_callback([&program, body] { program.run = body; });
    return action;
  };
  add("list", "names the recipes that ship", [] {
    for (const std::string& name : shipped_recipes()) print(name + "\n");
    return static_cast<int>(kDone);
  });
  add("reference", "every option of a recipe, as Markdown", [] {
    print(recipe_reference());
    return static_cast<int>(kDone);
  });
  struct Given {
    std::string recipe;
    std::vector<std::string> overrides;
    Recipe load() const { return load_recipe(recipe, overrides); }
  };
  auto given = std::make_shared<Given>();
  const auto take_recipe = [given](CLI::App* action) {
    action->add_option("recipe", given->recipe, "file, or the name of a recipe that ships")->required();
    action
        ->add_option("--set", given->overrides,
                     "key.path=value, replaces an option of the recipe; may be repeated")
        ->allow_extra_args(false);
  };
  take_recipe(
      add("show", "prints a recipe with every default spelt out, and what each option means", [given] {
        print(recipe_to_yaml(given->load()) + "\n# what each option means\n");
        for (const OptionDoc& doc : document_options<Recipe>()) {
          print(fmt::format("# {:<36} {}  [{}{}]\n", doc.path, doc.doc, doc.type,
                            doc.fallback.empty() ? "" : "; default " + doc.fallback));
        }
        return static_cast<int>(kDone);
      }));
  take_recipe(add("check", "reads a recipe and names every problem in it", [given] {
    given->load();
    print(given->recipe + ": no problems\n");
    return static_cast<int>(kDone);
  }));
}

}  // namespace earmark::cli
