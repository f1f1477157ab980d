// features_bench [CONFIG...]: the figures of run_features_bench on standard output.
#include <exception>
#include <iostream>

#include "features_bench.h"

int main(int argc, char** argv) {
  earmark::FeaturesBenchOptions options;
  options.configs.assign(argv + 1, argv + argc);
  try {
    for (const std::string& line : earmark::run_features_bench(options)) std::cout << line << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
