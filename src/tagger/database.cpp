#include "tagger/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "earmark/error.h"
#include "tagger/text.h"

namespace earmark {
namespace {

constexpr int kPatience_ms = 20000;  // for another program that writes

std::string reason_of(int status, sqlite3* handle) {
  switch (status & 0xFF) {
    case SQLITE_FULL:
      return "the disk is full";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program is writing to it";
    case SQLITE_READONLY:
      return "it, or its folder, may not be written to";
    default:
      return handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(status);
  }
}

}  // namespace

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int status =
      sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
  if (status != SQLITE_OK) database.fail(status);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

bool Statement::step() {
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  sqlite3_reset(statement_);
  if (status != SQLITE_DONE) database_.fail(status);
  return false;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return "";
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Statement::reset() { sqlite3_reset(statement_); }
void Statement::bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_, at, value); }
void Statement::bind(int at, double value) { sqlite3_bind_double(statement_, at, value); }
void Statement::bind(int at, std::nullptr_t) { sqlite3_bind_null(statement_, at); }
void Statement::bind(int at, const std::string& value) {
  sqlite3_bind_text(statement_, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
}

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path) {
  // As an absolute path, for SQLite has names of its own (":memory:").
  const std::string name = std::filesystem::absolute(path).native();
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  const int status = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
  if (status != SQLITE_OK) {
    const std::string why = reason_of(status, handle_);
    sqlite3_close(handle_);
    throw Error(ErrorCode::kIo, fmt::format("cannot open the database {}: {}", path_.string(), why));
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kPatience_ms);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::run(const std::string& sql) {
  const int status = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) fail(status);
}

void Database::attempt(const std::string& sql) noexcept {
  sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
}

std::int64_t Database::integer(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::last_id() const noexcept { return sqlite3_last_insert_rowid(handle_); }
bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }

void Database::fail(int status) {
  const int kind = status & 0xFF;
  const std::string why = reason_of(status, handle_);
  if (kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT)
    throw Error(ErrorCode::kBadFile, fmt::format("the database {} is damaged: {}", path_.string(), why));
  if (kind == SQLITE_ERROR || kind == SQLITE_MISUSE)
    throw Error(ErrorCode::kInternal, fmt::format("the database {}: {}", path_.string(), why));
  throw Error(ErrorCode::kIo, fmt::format("cannot use the database {}: {}", path_.string(), why));
}

}  // namespace earmark
