#include "tagger/database_output.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "earmark/error.h"
#include "tagger/database.h"
#include "tagger/text.h"

namespace earmark {
namespace {

constexpr std::int64_t kApplicationId = 0x6561726D;  // "earm": what `file` and others know a database by
constexpr auto kBetweenCommits = std::chrono::seconds(1);

// Names are numbers in the large tables and rows lie in the order of recording and time: 87 bytes a row with
// all indices, where text in every row takes 227 (100 000 rows, 80 tags).
constexpr const char* kTables = R"sql(
CREATE TABLE runs(
  id INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  started_at TEXT NOT NULL UNIQUE,
  finished_at TEXT,
  program TEXT NOT NULL,
  bundle_id TEXT NOT NULL,
  bundle TEXT,
  options TEXT NOT NULL,
  n_inputs INTEGER NOT NULL);
CREATE TABLE tags(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE);
CREATE TABLE recordings(
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs(id),
  file TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  warnings TEXT NOT NULL,
  duration_s REAL,
  segments INTEGER);
CREATE TABLE clocks(
  recording_id INTEGER NOT NULL REFERENCES recordings(id),
  at_s REAL NOT NULL,
  unix_s REAL NOT NULL,
  PRIMARY KEY(recording_id, at_s)) WITHOUT ROWID;
CREATE TABLE gaps(
  recording_id INTEGER NOT NULL REFERENCES recordings(id),
  at_s REAL NOT NULL,
  missing_s REAL NOT NULL,
  kind TEXT NOT NULL);
CREATE INDEX recordings_by_run ON recordings(run_id);
CREATE INDEX recordings_by_file ON recordings(file);
)sql";

// {0}: "scores" or "events".
constexpr const char* kRowTable = R"sql(
CREATE TABLE {0}(
  recording_id INTEGER NOT NULL REFERENCES recordings(id),
  start_s REAL NOT NULL,
  end_s REAL NOT NULL,
  tag_id INTEGER NOT NULL REFERENCES tags(id),
  score REAL NOT NULL,
  PRIMARY KEY(recording_id, start_s, tag_id)) WITHOUT ROWID;
CREATE INDEX {0}_by_tag ON {0}(tag_id, score);
CREATE INDEX {0}_by_time ON {0}(start_s);
)sql";

constexpr const char* kView = R"sql(
SELECT r.file AS file, x.start_s AS start_s, x.end_s AS end_s, t.name AS tag, x.score AS score,
  '{0}' AS kind, r.run_id AS run_id,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', c.unix_s + x.start_s - c.at_s, 'unixepoch') FROM clocks c
   WHERE c.recording_id = x.recording_id AND c.at_s <= x.start_s ORDER BY c.at_s DESC LIMIT 1) AS time
FROM {1} x JOIN recordings r ON r.id = x.recording_id JOIN tags t ON t.id = x.tag_id)sql";

std::string schema() {
  return std::string("BEGIN IMMEDIATE;") + kTables + fmt::format(fmt::runtime(kRowTable), "scores") +
         fmt::format(fmt::runtime(kRowTable), "events") + "CREATE VIEW tagged AS" +
         fmt::format(fmt::runtime(kView), "segment", "scores") + " UNION ALL" +
         fmt::format(fmt::runtime(kView), "event", "events") +
         fmt::format(";PRAGMA application_id={};PRAGMA user_version={};COMMIT;", kApplicationId,
                     kDatabaseVersion);
}

// As the other formats write them.
double six_decimals(double number) { return std::round(number * 1e6) / 1e6; }

std::string problem_of(Database& database, const std::filesystem::path& path) {
  const std::int64_t id = database.integer("PRAGMA application_id");
  const std::int64_t version = database.integer("PRAGMA user_version");
  const std::int64_t n_tables = database.integer("SELECT count(*) FROM sqlite_master");
  if (id == 0 && version == 0 && n_tables == 0) return "";
  if (id != kApplicationId)
    return fmt::format("{} is a database of another program; name another file", path.string());
  if (version > kDatabaseVersion)
    return fmt::format(
        "{} is a database of version {}, this earmark knows {}; use a newer earmark or another file",
        path.string(), version, kDatabaseVersion);
  return "";
}

class DatabaseOutput : public TagOutput {
 public:
  DatabaseOutput(const std::vector<std::string>& tags, const TagFormatter::Options& options,
                 const std::filesystem::path& path, const RunRecord& run, std::set<std::string>& done)
      : options_(options),
        merger_(options.selection, options.event_options),
        database_(path, Database::Mode::kCreate) {
    const std::string problem = problem_of(database_, path);
    if (!problem.empty()) throw Error(ErrorCode::kInvalidOption, "output: " + problem);
    database_.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    if (database_.integer("PRAGMA user_version") == 0) database_.run(schema());
    database_.run("BEGIN IMMEDIATE");
    enter(run);
    enter(tags);
    take_up(done);
    database_.run("COMMIT");
    add_row_.emplace(database_, fmt::format("INSERT INTO {}(recording_id, start_s, end_s, tag_id, score) "
                                            "VALUES(?1, ?2, ?3, ?4, ?5)",
                                            options_.events ? "events" : "scores"));
    add_recording_.emplace(database_,
                           "INSERT INTO recordings(run_id, file, status, warnings) "
                           "VALUES(?1, ?2, 'running', '[]')");
    end_recording_.emplace(database_,
                           "UPDATE recordings SET status = ?2, reason = ?3, warnings = ?4, duration_s = ?5, "
                           "segments = ?6 WHERE id = ?1");
  }
  ~DatabaseOutput() override {
    if (database_.in_transaction()) database_.attempt("ROLLBACK");
  }

  void begin(const std::string& name, const std::filesystem::path&) override {
    open_transaction();
    merger_.set_max_wait_s(name == "-" ? kLiveMaxWait_s : EventMerger::kWaitForAll_s);  // somebody listens
    add_recording_->with(run_id_, name).run();
    recording_id_ = database_.last_id();
    open_ = true;
    note_clock();
  }
  void set_clock(const std::optional<ClockAnchor>& clock) override {
    clock_ = clock;
    if (open_) note_clock();
  }
  void gap(const StreamGap& gap) override {
    open_transaction();
    std::vector<TagEvent> events;
    if (options_.events) merger_.finish(events);  // none goes on across it
    add(events);
    Statement(database_, "INSERT INTO gaps(recording_id, at_s, missing_s, kind) VALUES(?1, ?2, ?3, ?4)")
        .with(recording_id_, six_decimals(gap.at_s), six_decimals(gap.missing_s),
              std::string(gap.restart ? "restart" : "pause"))
        .run();
  }
  void segment(const SegmentScores& segment) override {
    open_transaction();
    if (options_.events) {
      std::vector<TagEvent> events;
      merger_.add(segment, events);
      add(events);
    } else {
      for (const std::size_t tag : select_tags(segment.scores, options_.selection))
        add(segment.start_s, segment.end_s, tag, segment.scores[tag]);
    }
    if (std::chrono::steady_clock::now() - committed_ >= kBetweenCommits) commit();
  }
  void end(const LedgerEntry& entry) override {
    open_transaction();
    std::vector<TagEvent> events;
    if (options_.events) merger_.finish(events);
    add(events);
    close_recording(entry, entry.segments);
  }
  bool abandon(const LedgerEntry& entry) override {
    open_transaction();
    std::vector<TagEvent> forgotten;
    merger_.finish(forgotten);
    remove_rows(recording_id_);
    close_recording(entry, 0);
    return true;
  }
  void finish() override { leave("done"); }
  void stop() override { leave("interrupted"); }

 private:
  void enter(const RunRecord& run) {
    Statement find(database_, "SELECT id FROM runs WHERE started_at = ?1");
    const std::string options = to_json(run.options);
    if (find.with(run.started_at).step()) {
      run_id_ = find.integer(0);
      Statement(database_,
                "UPDATE runs SET state = 'running', finished_at = NULL, program = ?2, "
                "bundle = nullif(?3, ''), options = ?4, n_inputs = ?5, bundle_id = ?6, kind = ?7 "
                "WHERE id = ?1")
          .with(run_id_, run.program, run.bundle, options, run.n_inputs, run.bundle_id, kind())
          .run();
      return;
    }
    Statement(database_,
              "INSERT INTO runs(state, kind, started_at, program, bundle_id, bundle, options, "
              "n_inputs) VALUES('running', ?1, ?2, ?3, ?4, nullif(?5, ''), ?6, ?7)")
        .with(kind(), run.started_at, run.program, run.bundle_id, run.bundle, options, run.n_inputs)
        .run();
    run_id_ = database_.last_id();
  }
  std::string kind() const { return options_.events ? "events" : "segments"; }

  void enter(const std::vector<std::string>& tags) {
    Statement add_tag(database_, "INSERT OR IGNORE INTO tags(name) VALUES(?1)");
    Statement find(database_, "SELECT id FROM tags WHERE name = ?1");
    for (const std::string& tag : tags) {
      add_tag.with(tag).run();
      find.with(tag).step();
      tag_ids_.push_back(find.integer(0));
    }
  }

  // The ledger's line follows the commit, so a kill between them leaves a recording here that the ledger does
  // not know. It is removed and tagged again, as clips and lists of such a recording are: what is in the
  // ledger is done everywhere, what is not is nowhere. A power cut may take the last commits back and leave
  // the ledger's lines; those recordings are tagged again too.
  void take_up(std::set<std::string>& done) {
    std::set<std::string> here;
    std::vector<std::int64_t> superfluous;
    Statement all(database_, "SELECT id, file, status FROM recordings WHERE run_id = ?1 ORDER BY id");
    all.with(run_id_);
    while (all.step()) {
      const std::string file = all.text(1);
      if (all.text(2) != "running" && done.contains(file)) {
        here.insert(file);
      } else {
        superfluous.push_back(all.integer(0));
      }
    }
    for (const std::int64_t id : superfluous) {
      remove_rows(id);
      Statement(database_, "DELETE FROM recordings WHERE id = ?1").with(id).run();
    }
    done = std::move(here);
  }

  void note_clock() {
    if (!clock_) return;
    open_transaction();
    Statement(database_, "INSERT OR REPLACE INTO clocks(recording_id, at_s, unix_s) VALUES(?1, ?2, ?3)")
        .with(recording_id_, six_decimals(clock_->at_s),
              static_cast<double>(clock_->start.moment.time_since_epoch().count()) / 1000.0)
        .run();
  }

  void remove_rows(std::int64_t recording_id) {
    for (const char* table : {"scores", "events", "clocks", "gaps"})
      Statement(database_, fmt::format("DELETE FROM {} WHERE recording_id = ?1", table))
          .with(recording_id)
          .run();
  }

  void open_transaction() {
    if (!database_.in_transaction()) database_.run("BEGIN IMMEDIATE");
  }
  void commit() {
    database_.run("COMMIT");
    committed_ = std::chrono::steady_clock::now();
  }

  void add(double start_s, double end_s, std::size_t tag, float score) {
    add_row_
        ->with(recording_id_, six_decimals(start_s), six_decimals(end_s), tag_ids_[tag],
               six_decimals(static_cast<double>(score)))
        .run();
  }
  void add(const std::vector<TagEvent>& events) {
    for (const TagEvent& event : events) add(event.start_s, event.end_s, event.tag, event.score);
  }

  void close_recording(const LedgerEntry& entry, std::uint64_t n_segments) {
    open_ = false;
    std::string warnings;
    for (const std::string& warning : entry.warnings)
      warnings += (warnings.empty() ? "" : ", ") + json_text(escape_invalid_utf8(warning));
    const auto close = [&](const auto& reason) {
      end_recording_
          ->with(recording_id_, std::string(status_name(entry.status)), reason, "[" + warnings + "]",
                 six_decimals(entry.duration_s), static_cast<std::int64_t>(n_segments))
          .run();
    };
    if (entry.reason.empty()) {
      close(nullptr);
    } else {
      close(escape_invalid_utf8(entry.reason));
    }
    commit();
  }

  // Back to a rollback journal, so that one file remains, which can be read from a disk that is write-
  // protected; not while others read it, to whom the file is as good with its log beside it.
  void leave(const std::string& state) {
    open_transaction();
    Statement(database_, "UPDATE runs SET state = ?2, finished_at = ?3 WHERE id = ?1")
        .with(run_id_, state, utc_now())
        .run();
    commit();
    database_.attempt("PRAGMA busy_timeout=0; PRAGMA journal_mode=DELETE");
  }

  TagFormatter::Options options_;
  EventMerger merger_;
  Database database_;
  std::optional<Statement> add_row_, add_recording_, end_recording_;
  std::vector<std::int64_t> tag_ids_;
  std::int64_t run_id_ = 0, recording_id_ = 0;
  bool open_ = false;  // a recording
  std::optional<ClockAnchor> clock_;
  std::chrono::steady_clock::time_point committed_;  // so that a slow stream's rows are there at once
};

}  // namespace

std::string database_problem(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return "";
  try {
    Database database(path, Database::Mode::kExisting);
    return problem_of(database, path);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kBadFile) return e.what();
    return fmt::format("{} exists and is no database; name another file", path.string());
  }
}

std::vector<std::filesystem::path> database_files(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files{path};
  for (const char* suffix : {"-wal", "-shm", "-journal"}) files.emplace_back(path.native() + suffix);
  return files;
}

std::unique_ptr<TagOutput> make_database_output(const std::vector<std::string>& tags,
                                                const TagFormatter::Options& options,
                                                const std::filesystem::path& path, const RunRecord& run,
                                                std::set<std::string>& done) {
  return std::make_unique<DatabaseOutput>(tags, options, path, run, done);
}

}  // namespace earmark
