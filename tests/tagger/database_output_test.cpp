#include "tagger/database_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>

#include "core/csv.h"
#include "core/file.h"
#include "job_case.h"
#include "tagger/database.h"
#include "tagger/text.h"

namespace earmark::testing {
namespace {

std::string rows_of(Database& database, const std::string& query, int n_columns) {
  Statement statement(database, query);
  std::string text;
  while (statement.step()) {
    for (int c = 0; c < n_columns; ++c) text += (c == 0 ? "" : "|") + statement.text(c);
    text += "\n";
  }
  return text;
}
std::string rows_of(const std::filesystem::path& path, const std::string& query, int n_columns) {
  Database database(path, Database::Mode::kExisting);
  return rows_of(database, query, n_columns);
}

// All that a database says, but for the times at which its runs began and ended.
std::string dump(const std::filesystem::path& path) {
  Database database(path, Database::Mode::kExisting);
  return rows_of(database, "SELECT id, state, kind, program, bundle_id, bundle, options, n_inputs FROM runs",
                 8) +
         rows_of(database, "SELECT * FROM tags ORDER BY id", 2) +
         rows_of(database, "SELECT * FROM recordings ORDER BY id", 8) +
         rows_of(database, "SELECT * FROM scores", 5) + rows_of(database, "SELECT * FROM events", 5) +
         rows_of(database, "SELECT sql FROM sqlite_master ORDER BY name", 1);
}

TagRequest into(const Scratch& s, const std::string& name, bool events = false) {
  TagRequest request = request_for(s / "in", TagFormat::kSqlite);
  request.output = s / name;
  request.events = events;
  return request;
}

std::set<std::string> files_like(const Scratch& s, const std::string& begin) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(s.path())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(begin)) names.insert(name);
  }
  return names;
}

TEST(DatabaseOutput, SaysWhatTheCsvSays) {
  const Scratch s;
  for (const char* name :
       {"a.wav", "quo\"te's; DROP TABLE runs.wav", "new\nline.wav", "bad\xFF.wav", "\xC3\xA4.wav"})
    record(s / ("in/" + std::string(name)), noise(2.5, 1));
  for (const bool events : {false, true}) {
    TagRequest csv = request_for(s / "in", TagFormat::kCsv);
    csv.events = events;
    const std::string expected = run(csv).text;
    TagRequest request = into(s, events ? "e.db" : "s.db", events);
    run(request);
    Database database(request.output, Database::Mode::kExisting);
    Statement statement(database,
                        "SELECT r.file, x.start_s, x.end_s, t.name, x.score FROM " +
                            std::string(events ? "events" : "scores") +
                            " x JOIN recordings r ON r.id = x.recording_id JOIN tags t ON t.id = x.tag_id "
                            "ORDER BY r.id, x.start_s" +
                            std::string(events ? ", t.id" : ", x.score DESC, t.id"));
    std::string text = "file,start_s,end_s,tag,score\n";
    while (statement.step()) {
      text += csv_line({statement.text(0), statement.text(1), statement.text(2), statement.text(3),
                        decimal(std::stod(statement.text(4)))});
    }
    EXPECT_EQ(text, expected);
  }
}

TEST(DatabaseOutput, LeavesOneFileThatSaysWhereItComesFrom) {
  const Scratch s;
  record(s / "in/a.wav", pattern("x-x"));
  s.write("in/b.wav", "no sound");
  s.write("model.earmark", "bytes");
  TagRequest request = into(s, "t.db", true);
  request.program = "earmark 9.9";
  request.bundle = s / "model.earmark";
  run(request, step_scorer());
  EXPECT_EQ(files_like(s, "t.db"), (std::set<std::string>{"t.db", "t.db.ledger.jsonl", "t.db.run.json"}));
  const RunRecord record = read_run_file(s / "t.db.run.json");
  EXPECT_EQ(rows_of(request.output,
                    "SELECT id, state, kind, program, bundle_id, bundle, n_inputs, started_at "
                    "FROM runs WHERE finished_at IS NOT NULL",
                    8),
            "1|done|events|earmark 9.9|" + record.bundle_id + "|" + request.bundle.string() + "|2|" +
                record.started_at + "\n");
  const std::string in = (s / "in/").native();
  EXPECT_EQ(rows_of(request.output, "SELECT * FROM tagged", 7),
            in + "a.wav|0.0|1.0|dog|0.9|event|1\n" + in + "a.wav|2.0|3.0|dog|0.9|event|1\n");
  EXPECT_EQ(rows_of(request.output,
                    "SELECT file, status, reason LIKE 'not_audio: %', duration_s, segments, warnings "
                    "FROM recordings",
                    6),
            in + "a.wav|ok||3.0|3|[]\n" + in + "b.wav|failed|1|0.0|0|[]\n");
}

TEST(DatabaseOutput, AStreamIsARecordingLikeOthers) {
  const Scratch s;
  const Waveform wave = noise(3.5, 4);
  record(s / "in/a.wav", wave);
  run(into(s, "file.db"));
  TagRequest request = into(s, "stream.db");
  request.inputs = {"-"};
  request.stream_fd = ::open((s / "in/a.wav").c_str(), O_RDONLY);
  run(request);
  ::close(request.stream_fd);
  const std::string query = "SELECT start_s, end_s, tag, score FROM tagged";
  EXPECT_EQ(rows_of(s / "stream.db", query, 4), rows_of(s / "file.db", query, 4));
  EXPECT_EQ(rows_of(s / "stream.db", "SELECT file, status, duration_s, segments FROM recordings", 4),
            "-|ok|3.5|4\n");
}

TEST(DatabaseOutput, IndicesAreUsedForFileTagAndTime) {
  const Scratch s;
  record(s / "in/a.wav", noise(2.0, 1));
  run(into(s, "t.db"));
  const auto plan = [&](const std::string& where) {
    return rows_of(s / "t.db", "EXPLAIN QUERY PLAN SELECT * FROM tagged WHERE " + where, 4);
  };
  EXPECT_NE(plan("tag = 'dog' AND score > 0.5").find("scores_by_tag (tag_id=? AND score>?)"),
            std::string::npos);
  EXPECT_NE(plan("start_s BETWEEN 5 AND 6").find("scores_by_time"), std::string::npos);
  EXPECT_NE(plan("file = 'a'").find("recordings_by_file"), std::string::npos) << plan("file = 'a'");
}

TEST(DatabaseOutput, ASecondRunStandsBesideTheFirst) {
  const Scratch s;
  make_recordings(s, 3);
  run(into(s, "t.db"));
  const std::string first = rows_of(s / "t.db", "SELECT * FROM tagged WHERE run_id = 1", 7);
  run(into(s, "t.db", true));
  EXPECT_EQ(rows_of(s / "t.db", "SELECT * FROM tagged WHERE run_id = 1", 7), first);
  EXPECT_EQ(rows_of(s / "t.db", "SELECT run_id, count(*), min(id) FROM recordings GROUP BY run_id", 3),
            "1|3|1\n2|3|4\n");
  EXPECT_EQ(rows_of(s / "t.db", "SELECT id, kind, state FROM runs", 3), "1|segments|done\n2|events|done\n");
  EXPECT_EQ(rows_of(s / "t.db", "SELECT count(*) FROM tags", 1), "3\n");
  TagRequest over = into(s, "t.db");
  over.overwrite = true;
  run(over);
  EXPECT_EQ(rows_of(s / "t.db", "SELECT id, kind FROM runs", 2), "1|segments\n");
}

TEST(DatabaseOutput, WhatIsNoDatabaseOfItsOwnIsRefusedAndLeftAsItIs) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  s.write("letter.db", std::string(2000, 'x'));
  { Database(s / "other.db", Database::Mode::kCreate).run("CREATE TABLE photos(id)"); }
  run(into(s, "newer.db"));
  { Database(s / "newer.db", Database::Mode::kExisting).run("PRAGMA user_version=2"); }
  for (const auto& [name, part] :
       std::map<std::string, std::string>{{"letter.db", "is no database"},
                                          {"other.db", "of another program"},
                                          {"newer.db", "version 2, this earmark knows 1"}}) {
    const std::string before = read_text(s / name);
    for (const bool resume : {false, true}) {
      TagRequest request = into(s, name);
      request.resume = resume;
      const std::string what = problems_of(request);
      EXPECT_NE(what.find(part), std::string::npos) << what;
    }
    EXPECT_EQ(read_text(s / name), before);
  }
  s.write("empty.db", "");
  run(into(s, "empty.db"));
  EXPECT_EQ(rows_of(s / "empty.db", "SELECT count(*) FROM recordings", 1), "1\n");
  TagRequest nowhere = request_for(s / "in", TagFormat::kSqlite);
  EXPECT_NE(problems_of(nowhere).find("sqlite needs output"), std::string::npos);
  nowhere.output_dir = s / "dir";
  EXPECT_NE(problems_of(nowhere).find("sqlite needs output"), std::string::npos);
}

TEST(DatabaseOutput, AnUnfinishedRunIsResumedNotForgotten) {
  const Scratch s;
  make_recordings(s, 4);
  std::atomic<bool> stop{false};
  TagRequest request = into(s, "t.db");
  request.threads = 1;
  request.stop = &stop;
  request.on_done = [&](const LedgerEntry&) { stop = true; };
  TagJob(request).run(*mean_scorer());
  EXPECT_EQ(rows_of(s / "t.db", "SELECT state FROM runs", 1), "interrupted\n");
  EXPECT_NE(problems_of(into(s, "t.db")).find("the last run into"), std::string::npos);
  TagRequest beside = into(s, "t.db");
  beside.ledger = s / "beside.jsonl";
  run(beside);
  EXPECT_TRUE(std::filesystem::exists(s / "beside.jsonl.run.json"));
  TagRequest resume = into(s, "t.db");
  resume.resume = true;
  EXPECT_EQ(run(resume).summary.n_before, 1u);
  EXPECT_EQ(rows_of(s / "t.db",
                    "SELECT state, (SELECT count(*) FROM recordings WHERE run_id = runs.id) FROM runs", 2),
            "done|4\ndone|4\n");
}

// The process is killed at each recording's end in turn: after its commit, before the ledger's line.
TEST(DatabaseOutput, KilledAndResumedEqualsUninterrupted) {
  const Scratch s;
  make_recordings(s, 6);
  s.write("in/3x.wav", "damaged");
  for (const bool events : {false, true}) {
    TagRequest whole = into(s, events ? "whole_e" : "whole", events);
    whole.cut.hop_s = 0.25;
    run(whole);
    const std::string expected = dump(whole.output);
    for (int n_before_kill = 0; n_before_kill < 7; ++n_before_kill) {
      for (const bool behind_ledger : {false, true}) {
        TagRequest part = whole;
        part.output = s / "part";
        part.overwrite = true;
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
          int n = 0;
          part.threads = 1;
          part.on_done = [&](const LedgerEntry&) {
            if (n++ == n_before_kill) ::raise(SIGKILL);
          };
          TagJob(part).run(*mean_scorer());
          ::_exit(7);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << status;
        if (!behind_ledger) {  // as if the kill had come before the last line
          std::string ledger = read_text(s / "part.ledger.jsonl");
          ledger.erase(ledger.rfind('\n', ledger.size() - 2) + 1);
          write_text(s / "part.ledger.jsonl", ledger);
        }
        part.overwrite = false;
        part.resume = true;
        run(part);
        EXPECT_EQ(dump(part.output), expected) << n_before_kill << behind_ledger;
        EXPECT_EQ(read_text(s / "part.ledger.jsonl"), read_text(whole.output.native() + ".ledger.jsonl"));
        EXPECT_EQ(files_like(s, "part").size(), 3u);
      }
    }
  }
}

// As a power cut may leave it: the ledger knows recordings whose rows never reached the disk.
TEST(DatabaseOutput, WhatTheDatabaseLacksIsTaggedAgainWhateverTheLedgerSays) {
  const Scratch s;
  make_recordings(s, 5);
  run(into(s, "whole"));
  run(into(s, "part"));
  {
    Database database(s / "part", Database::Mode::kExisting);
    database.run(
        "DELETE FROM scores WHERE recording_id > 2; DELETE FROM recordings WHERE id > 3;"
        "UPDATE recordings SET status = 'running' WHERE id = 3");
  }
  TagRequest resume = into(s, "part");
  resume.resume = true;
  EXPECT_EQ(run(resume).summary.n_before, 2u);
  EXPECT_EQ(dump(s / "part"), dump(s / "whole"));
  EXPECT_EQ(read_text(s / "part.ledger.jsonl"), read_text(s / "whole.ledger.jsonl"));
  for (const auto& path : database_files(s / "part")) std::filesystem::remove(path);
  EXPECT_EQ(run(resume).summary.n_before, 0u);
  EXPECT_EQ(dump(s / "part"), dump(s / "whole"));
}

TEST(DatabaseOutput, SameRowsWhateverTheThreads) {
  const Scratch s;
  make_recordings(s, 9);
  std::string first;
  for (const int threads : {1, 4}) {
    TagRequest request = into(s, "t" + std::to_string(threads));
    request.threads = threads;
    run(request);
    if (first.empty()) first = dump(request.output);
    EXPECT_EQ(dump(request.output), first);
  }
}

TEST(DatabaseOutput, ARecordingThatFailsHalfWayLeavesItsLineAlone) {
  const Scratch s;
  TagFormatter::Options options;
  std::set<std::string> done;
  RunRecord record;
  record.options = Value(Value::Map());
  record.started_at = utc_now();
  const auto output = make_database_output({"dog"}, options, s / "t.db", record, done);
  output->begin("a", "");
  output->segment({0.0, 1.0, {0.5f}});
  LedgerEntry entry;
  entry.status = InputStatus::kFailed;
  entry.reason = "non_finite: sample 3";
  EXPECT_TRUE(output->abandon(entry));
  output->finish();
  EXPECT_EQ(rows_of(s / "t.db", "SELECT count(*) FROM scores", 1), "0\n");
  EXPECT_EQ(rows_of(s / "t.db", "SELECT status, reason, segments FROM recordings", 3),
            "failed|non_finite: sample 3|0\n");
}

TEST(DatabaseOutput, AStreamsRowsAreThereBeforeItEnds) {
  const Scratch s;
  std::set<std::string> done;
  RunRecord record;
  record.options = Value(Value::Map());
  record.started_at = utc_now();
  {
    const auto output = make_database_output({"dog"}, {}, s / "t.db", record, done);
    output->begin("-", "");
    output->segment({0.0, 1.0, {0.5f}});
    EXPECT_EQ(rows_of(s / "t.db", "SELECT file, status FROM recordings", 2), "-|running\n");
    EXPECT_EQ(rows_of(s / "t.db", "SELECT tag, score FROM tagged", 2), "dog|0.5\n");
  }  // as a kill: neither ended nor stopped
  make_database_output({"dog"}, {}, s / "t.db", record, done)->finish();
  EXPECT_EQ(rows_of(s / "t.db", "SELECT (SELECT count(*) FROM recordings), (SELECT count(*) FROM tagged)", 2),
            "0|0\n");
}

TEST(DatabaseOutput, OthersReadWhileARunGoesOn) {
  const Scratch s;
  make_recordings(s, 3);
  TagRequest request = into(s, "t.db");
  std::size_t n_done = 0;
  request.on_done = [&](const LedgerEntry&) {
    ++n_done;
    EXPECT_EQ(rows_of(request.output, "SELECT count(*) FROM recordings WHERE status = 'ok'", 1),
              std::to_string(n_done) + "\n");
  };
  TagJob(request).run(*mean_scorer());
  EXPECT_EQ(n_done, 3u);
}

// A limit on the size of files acts as a full disk does.
TEST(DatabaseOutput, AFullDiskStopsCleanlyAndTheRunGoesOnLater) {
  const Scratch s;
  make_recordings(s, 8);
  TagRequest request = into(s, "part");
  request.cut.hop_s = 0.01;
  TagRequest whole = request;
  whole.output = s / "whole";
  run(whole);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 400000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const TagSummary stopped = run(request).summary;
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_NE(stopped.output_failure.find("part"), std::string::npos) << stopped.output_failure;
  request.resume = true;
  run(request);
  EXPECT_EQ(dump(s / "part"), dump(s / "whole"));
}

}  // namespace
}  // namespace earmark::testing
