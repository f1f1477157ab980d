// error.h: how earmark says no. Bad options, recipes, bundles and data sets throw Error; a bad
// recording among many is an expected failure and comes back as a value (Outcome).
#pragma once
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace earmark {

enum class ErrorCode {
  kInvalidOption,  ///< an option or argument is out of its range
  kBadRecipe,      ///< a recipe does not read
  kBadBundle,      ///< a bundle is damaged, too new, or no longer gives its own answer
  kBadDataset,     ///< a data set is incomplete or inconsistent
  kBadAudio,       ///< samples that cannot be worked on (NaN, infinity, none)
  kBadFile,        ///< another file's contents cannot be parsed
  kIo,             ///< the operating system refused: open, read, write, rename
  kUnsupported,    ///< this build or machine lacks what was asked for
  kInterrupted,    ///< stopped cleanly on request
  kInternal,       ///< a broken promise of earmark's own
};

/// Carries every problem found, not only the first; what() lists them, one a line, up to the fiftieth.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message);
  Error(ErrorCode code, const std::string& headline, std::vector<std::string> problems);

  ErrorCode code() const noexcept { return code_; }
  const std::vector<std::string>& problems() const noexcept { return problems_; }

 private:
  ErrorCode code_;
  std::vector<std::string> problems_;
};

/// An expected failure: `reason` is a short stable word for the ledger ("damaged_header"), `detail`
/// the sentence for a person.
struct Failure {
  std::string reason;
  std::string detail;
};

/// Either a T or the Failure that stands in its place.
template <class T>
class Outcome {
 public:
  Outcome(T value) : state_(std::move(value)) {}            // NOLINT(google-explicit-constructor)
  Outcome(Failure failure) : state_(std::move(failure)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Failure& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

}  // namespace earmark
