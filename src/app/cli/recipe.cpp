#include <fmt/format.h>

#include "app/cli/command.h"
#include "recipe/recipe.h"

namespace earmark::cli {

void add_recipe(Program& program) {
  CLI::App* verb = program.add_verb(
      "recipe", "Lists, shows and checks recipes",
      "  earmark recipe list\n  earmark recipe show esc10/upb_crnn\n  earmark recipe check my.yaml\n",
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
  auto shown = std::make_shared<std::string>();
  add("show", "prints a recipe with every default spelt out, and what each option means",
      [shown] {
        print(recipe_to_yaml(load_recipe(*shown)) + "\n# what each option means\n");
        for (const OptionDoc& doc : document_options<Recipe>()) {
          print(fmt::format("# {:<36} {}  [{}{}]\n", doc.path, doc.doc, doc.type,
                            doc.fallback.empty() ? "" : "; default " + doc.fallback));
        }
        return static_cast<int>(kDone);
      })
      ->add_option("recipe", *shown, "file, or the name of a recipe that ships")
      ->required();
  auto checked = std::make_shared<std::string>();
  add("check", "reads a recipe and names every problem in it",
      [checked] {
        load_recipe(*checked);
        print(*checked + ": no problems\n");
        return static_cast<int>(kDone);
      })
      ->add_option("file", *checked, "file, or the name of a recipe that ships")
      ->required();
}

}  // namespace earmark::cli
