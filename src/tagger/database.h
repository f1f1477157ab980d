// database.h: SQLite with errors that are thrown, and statements that end with their scope.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace earmark {

class Database;

/// A prepared statement, used again and again. Not thread-safe, like all of this; outlived by its Database.
class Statement {
 public:
  /// @throws Error(kInternal) where the text is no SQL for this database.
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Values of the parameters ?1, ?2 ...; each call begins a new execution.
  template <class... Values>
  Statement& with(const Values&... values) {
    reset();
    int at = 0;
    (bind(++at, values), ...);
    return *this;
  }
  /// @return whether there is a row. @throws Error(kIo) with the reason.
  bool step();
  void run() {
    while (step()) {
    }
  }

  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  void reset();
  void bind(int at, std::int64_t value);
  void bind(int at, double value);
  void bind(int at, const std::string& value);
  void bind(int at, std::nullptr_t);

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  enum class Mode { kExisting, kCreate };
  /// @throws Error(kIo).
  Database(const std::filesystem::path& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Statements without parameters and results. @throws Error(kIo); Error(kBadFile) for what is no database.
  void run(const std::string& sql);
  /// As run(); what fails is passed over.
  void attempt(const std::string& sql) noexcept;
  std::int64_t integer(const std::string& sql);
  std::int64_t last_id() const noexcept;
  bool in_transaction() const noexcept;
  /// @param status SQLite's, for which a reason is told.
  [[noreturn]] void fail(int status);

 private:
  friend class Statement;
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

}  // namespace earmark
