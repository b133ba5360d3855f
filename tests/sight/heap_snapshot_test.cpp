#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <tarn/gc.h>
#include <tarn/heap.h>
#include <tarn/object.h>
#include <tarn/snapshot.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

namespace tarn {
namespace {

namespace fs = std::filesystem;

struct Node : Object {
  Member<Node> next;
  Member<Node> other;
  static constexpr auto members = tarn::members(&Node::next, &Node::other);
};

struct Leaf : Object {
  std::int64_t number = 0;
};

class HeapSnapshot : public testing::Test {
 protected:
  HeapSnapshot() {
    char name[] = "/tmp/tarn-snapshot-XXXXXX";
    folder_ = ::mkdtemp(name);
    file_ = folder_ + "/a.sqlite";
  }
  ~HeapSnapshot() override { fs::remove_all(folder_); }

  [[nodiscard]] std::int64_t number(const std::string& sql) const {
    sqlite3* database = nullptr;
    EXPECT_EQ(::sqlite3_open_v2(file_.c_str(), &database, SQLITE_OPEN_READONLY, nullptr),
              SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(::sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << ::sqlite3_errmsg(database);
    EXPECT_EQ(::sqlite3_step(statement), SQLITE_ROW) << sql;
    const std::int64_t value = ::sqlite3_column_int64(statement, 0);
    ::sqlite3_finalize(statement);
    ::sqlite3_close(database);
    return value;
  }

  std::string folder_;
  std::string file_;
};

TEST_F(HeapSnapshot, HasEveryBlockOfAHeapInEveryGeometry) {
  for (const Geometry geometry : {Geometry::tarn, Geometry::modern, Geometry::classic}) {
    fs::remove(file_);
    Heap heap({.geometry = geometry});
    std::mt19937 random(1);
    std::vector<void*> blocks;
    for (int i = 0; i < 20'000; ++i) {
      blocks.push_back(heap.allocate(1 + random() % 500, i % 3 == 0 ? Domain::mem : Domain::obj));
    }
    std::size_t live = blocks.size();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (random() % 3 == 0) {
        heap.free(blocks[i], i % 3 == 0 ? Domain::mem : Domain::obj);
        blocks[i] = nullptr;
        --live;
      }
    }
    void* const large = heap.allocate(100'000);
    heap.release();
    EXPECT_EQ(write_snapshot(heap, file_), 1);
    heap.verify();
    EXPECT_EQ(number("SELECT count(*) FROM block WHERE state = 1 AND place = 0"),
              static_cast<std::int64_t>(live));
    EXPECT_EQ(number("SELECT count(*) FROM arena"),
              static_cast<std::int64_t>(heap.statistics().arenas_now));
    EXPECT_EQ(number("SELECT count(*) FROM large"), geometry == Geometry::tarn ? 1 : 0);
    EXPECT_EQ(number("SELECT sum(allocated) FROM pool"), static_cast<std::int64_t>(live));
    EXPECT_EQ(number("SELECT sum(bytes) = (SELECT resident FROM snapshot) FROM ledger"), 1);
    EXPECT_EQ(number("SELECT count(*) FROM block WHERE domain = 1") > 0, true);
    const char* const name = geometry == Geometry::tarn     ? "tarn"
                             : geometry == Geometry::modern ? "modern"
                                                            : "classic";
    EXPECT_EQ(number(std::string("SELECT geometry = '") + name + "' FROM snapshot"), 1);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      heap.free(blocks[i], i % 3 == 0 ? Domain::mem : Domain::obj);
    }
    heap.free(large);
  }
}

TEST_F(HeapSnapshot, HasObjectsWithTypesCountsAndReferences) {
  ObjectHeap heap;
  const Ref<Node> first = heap.make<Node>();
  {
    Ref<Node> at = first;
    for (int i = 0; i < 99; ++i) {
      Ref<Node> node = heap.make<Node>();
      at->next = node;
      at = node;
    }
    at->other = first;
  }
  std::vector<Ref<Leaf>> leaves;
  for (int i = 0; i < 1000; ++i) {
    leaves.push_back(heap.make<Leaf>());
  }
  leaves.resize(700);
  const Ref<Leaf> again = leaves[0];
  EXPECT_EQ(write_snapshot(heap, file_), 1);
  EXPECT_EQ(number("SELECT count(*) FROM object WHERE type LIKE '%Node'"), 100);
  EXPECT_EQ(number("SELECT count(*) FROM object WHERE type LIKE '%Leaf'"), 700);
  EXPECT_EQ(number("SELECT count(*) FROM block WHERE state = 2") > 0, true);
  EXPECT_EQ(number("SELECT refcount FROM object WHERE id = " +
                   std::to_string(reinterpret_cast<std::intptr_t>(first.get()))),
            2);
  EXPECT_EQ(number("SELECT refcount FROM object WHERE id = " +
                   std::to_string(reinterpret_cast<std::intptr_t>(again.get()))),
            2);
  EXPECT_EQ(number("SELECT count(*) FROM reference"), 100);
  EXPECT_EQ(number("SELECT max(depth) FROM object WHERE type LIKE '%Node'"), 99);
  EXPECT_EQ(number("SELECT count(*) FROM object WHERE type LIKE '%Node' AND root_kind = 'unknown'"),
            100);
  EXPECT_EQ(number("SELECT min(tracked) FROM object WHERE type LIKE '%Node'"), 1);
  EXPECT_EQ(number("SELECT max(tracked) FROM object WHERE type LIKE '%Leaf'"), 0);
  leaves.clear();
  EXPECT_EQ(write_snapshot(heap, file_), 2);
  EXPECT_EQ(number("SELECT count(*) FROM object WHERE snapshot = 2 AND type LIKE '%Leaf'"), 1);
  first->next = nullptr;
}

TEST_F(HeapSnapshot, IsItsOwnersAndSaysWhatIsWrong) {
  Heap heap;
  EXPECT_EQ(write_snapshot(heap, file_), 1);
  struct stat status = {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::ofstream(folder_ + "/other") << "no database, but long enough to be looked at as one";
  try {
    write_snapshot(heap, folder_ + "/other");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), "can't write " + folder_ + "/other: file is not a database");
  }
  EXPECT_THROW(write_snapshot(heap, folder_ + "/not/there"), std::runtime_error);
}

}  // namespace
}  // namespace tarn
