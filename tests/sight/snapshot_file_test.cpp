#include "sight/snapshot_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sight/database.h"
#include "sight/holders.h"
#include "sight/sample_stream.h"
#include "sight/stream_reader.h"

namespace tarn::sight {
namespace {

namespace fs = std::filesystem;

class SnapshotFile : public testing::Test {
 protected:
  SnapshotFile() {
    char name[] = "/tmp/tarn-sight-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~SnapshotFile() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  static Capture capture() {
    StreamReader reader;
    reader.take(sample_stream());
    Capture capture = reader.finish();
    find_holders(capture);
    return capture;
  }

  static Surroundings surroundings() {
    Surroundings around;
    around.reason = "command";
    around.program = "app.py";
    around.geometry = "tarn";
    around.resident = 12;
    around.mappings = {{sample_arena, 0x100000, 8192, "rw-p", "arenas", ""}};
    around.ledger = {{"rest", "the rest", 12}};
    return around;
  }

  static std::int64_t number(const std::string& file, const std::string& sql) {
    const Database database(file, SQLITE_OPEN_READONLY);
    return Statement(database, sql).number();
  }

  std::string folder_;
};

TEST_F(SnapshotFile, HoldsWhatWasReadAndIsItsOwners) {
  EXPECT_EQ(write_snapshot(path("a"), capture(), surroundings(), {.has_references = true}), 1);
  struct stat status = {};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(number(path("a"), "PRAGMA application_id"), application_id);
  EXPECT_EQ(number(path("a"), "PRAGMA user_version"), schema_version);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM block"), 11);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM reference"), 5);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM object WHERE root = 'app.cache'"), 2);
  EXPECT_EQ(number(path("a"), "SELECT bytes FROM object_size WHERE block = " +
                                  std::to_string(sample_block(0))),
            128);
  EXPECT_EQ(number(path("a"), "SELECT id FROM object WHERE type = 'Session'"),
            static_cast<std::int64_t>(sample_object(1)));
  EXPECT_EQ(number(path("a"), "SELECT usable_order FROM arena"), 0);
  EXPECT_EQ(
      number(path("a"),
             "SELECT count(*) FROM value JOIN object USING (snapshot, block) WHERE type = 'str'"),
      1);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(SnapshotFile, HoldsWhereBlocksWereAllocated) {
  write_snapshot(path("a"), capture(), surroundings(), {});
  const std::string block = " FROM block WHERE address = " + std::to_string(sample_block(1));
  EXPECT_EQ(number(path("a"), "SELECT site" + block), 7);
  EXPECT_EQ(number(path("a"), "SELECT rate FROM site WHERE id = 7"), 4096);
  EXPECT_EQ(number(path("a"),
                   "SELECT line FROM allocated_at WHERE site = 7 AND function = 'login'"
                   " AND file = 'app.py'"),
            88);
  EXPECT_EQ(number(path("a"),
                   "SELECT frame.line FROM site_frame JOIN frame ON frame.id = frame"
                   " WHERE site = 7 AND site_frame.position = 1"),
            90);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM allocated_at WHERE site = 0 AND line IS NULL"),
            1);
  EXPECT_EQ(number(path("a"), "SELECT round(weight) FROM sample WHERE block = " +
                                  std::to_string(sample_block(1))),
            86);
  // Where no block was recorded, none has a site.
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM block WHERE site IS NOT NULL"), 3);
}

TEST_F(SnapshotFile, IsAddedToThoughItIsOfBeforeThereWereSamples) {
  write_snapshot(path("a"), capture(), surroundings(), {});
  {
    Database database(path("a"), SQLITE_OPEN_READWRITE);
    database.execute("DROP TABLE sample; DROP VIEW allocated_at");
  }
  EXPECT_EQ(write_snapshot(path("a"), capture(), surroundings(), {.existing = Existing::append}),
            2);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM sample WHERE snapshot = 2"), 3);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM allocated_at WHERE snapshot = 1"), 2);
}

TEST_F(SnapshotFile, IsReplacedOrAddedTo) {
  EXPECT_EQ(write_snapshot(path("a"), capture(), surroundings(), {}), 1);
  EXPECT_EQ(write_snapshot(path("a"), capture(), surroundings(), {.existing = Existing::append}),
            2);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM block"), 22);
  EXPECT_EQ(write_snapshot(path("a"), capture(), surroundings(), {}), 1);
  EXPECT_EQ(number(path("a"), "SELECT count(*) FROM block"), 11);
  EXPECT_EQ(write_snapshot(path("new"), capture(), surroundings(), {.existing = Existing::append}),
            1);
}

TEST_F(SnapshotFile, IsAsItWasWhenItIsCalledOff) {
  static int asked = 0;
  static int most = 0;
  const auto is_called_off = [] { return ++asked > most; };
  const auto write = [&](Existing existing) {
    asked = 0;
    static_cast<void>(write_snapshot(path("a"), capture(), surroundings(),
                                     {.existing = existing, .is_called_off = is_called_off}));
  };
  int times = 0;
  for (most = 0;; ++most, ++times) {
    try {
      write(Existing::replace);
      break;
    } catch (const CalledOff&) {
      EXPECT_TRUE(fs::is_empty(folder_));
    }
  }
  EXPECT_GT(times, 20);  // a row each, and the end
  for (most = 0;; ++most) {
    try {
      write(Existing::append);
      break;
    } catch (const CalledOff&) {
      EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
      EXPECT_EQ(number(path("a"), "SELECT count(DISTINCT snapshot) FROM block"), 1);
    }
  }
  EXPECT_EQ(number(path("a"), "SELECT count(DISTINCT snapshot) FROM block"), 2);
}

TEST_F(SnapshotFile, IsLeftAloneWhenItIsSomethingElse) {
  const auto refusal = [&](const std::string& name) {
    try {
      write_snapshot(path(name), capture(), surroundings(), {.existing = Existing::append});
    } catch (const CantWrite& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  std::ofstream(path("text")) << "some text that is no database";
  EXPECT_EQ(refusal("text"), "can't write " + path("text") + ": file is not a database");
  fs::create_directory(path("folder"));
  EXPECT_EQ(refusal("folder"), "can't write " + path("folder") + ": it is a folder");
  EXPECT_EQ(refusal("none/a"), "can't write " + path("none/a") + ": No such file or directory");
  write_snapshot(path("a"), capture(), surroundings(), {});
  {
    Database database(path("a"), SQLITE_OPEN_READWRITE);
    database.execute("PRAGMA user_version = 99");
  }
  EXPECT_EQ(refusal("a"), path("a") + " was written by another version of Tarn; nothing was added");
}

}  // namespace
}  // namespace tarn::sight
