// A snapshot file, opened for reading. It may have been made by anyone: it's opened read-only, with SQLite's
// defences up (no views, no triggers, no functions out of the schema), each table has to be a plain one, and its
// rows come through rows.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sight/reading/rows.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tarn::sight::reading {

class SnapshotReader {
 public:
  // Throws BadSnapshot: it isn't there, can't be read, isn't a snapshot, or is one of a newer kind.
  explicit SnapshotReader(const std::string& path);

  // Whether it has the table of samples, which files of before that came haven't.
  [[nodiscard]] bool has_samples() const { return has_samples_; }

  // The numbers of its snapshots, in the order in which they were taken; at least one.
  [[nodiscard]] const std::vector<std::uint64_t>& snapshots() const { return snapshots_; }

  // Calls f(Row) for each row of one snapshot: `columns` of `table`, with `rest` behind the condition
  // ("AND state = 1 ORDER BY address"). All three are constants of the program. The row's text lives until f returns.
  template <class F>
  void for_each(std::uint64_t snapshot, const char* table, const char* columns, const char* rest,
                F&& f) const {
    Query query(*this, table, columns, rest, snapshot);
    while (query.step()) {
      f(query.row());
    }
  }

 private:
  struct Finish {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  class Query {
   public:
    Query(const SnapshotReader& file, const char* table, const char* columns, const char* rest,
          std::uint64_t snapshot);
    [[nodiscard]] bool step();
    [[nodiscard]] Row row() const { return cells_; }

   private:
    std::unique_ptr<sqlite3_stmt, Finish> statement_;
    std::vector<Cell> cells_;
  };
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };

  std::int64_t pragma(const char* sql) const;
  void expect_plain_tables();

  std::unique_ptr<sqlite3, Close> database_;
  std::vector<std::uint64_t> snapshots_;
  bool has_samples_ = false;
};

}  // namespace tarn::sight::reading
