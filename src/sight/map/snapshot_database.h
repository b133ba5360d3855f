// A snapshot file, opened to be read. Whoever made it may mean harm: it is opened so that nothing in it is carried
// out (no triggers, no views, no functions of its schema), and every value is checked for its type and range
// where it is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace tarn::sight {

class SnapshotDatabase {
 public:
  // Throws BadSnapshot: not a file, not a snapshot, or of a newer version.
  explicit SnapshotDatabase(const std::string& path);
  ~SnapshotDatabase();
  SnapshotDatabase(const SnapshotDatabase&) = delete;
  SnapshotDatabase& operator=(const SnapshotDatabase&) = delete;

  [[nodiscard]] sqlite3* handle() const { return database_; }

 private:
  [[nodiscard]] std::int64_t pragma(const char* name) const;

  sqlite3* database_ = nullptr;
};

// The rows of one table of one snapshot. Columns are counted from 0, in the order in which they're named.
class Rows {
 public:
  // `table` is for messages. The query's first parameter, if it has one, is the snapshot.
  Rows(const SnapshotDatabase& database, const char* table, const char* query,
       std::int64_t snapshot = 0);
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  [[nodiscard]] bool next();

  // An integer from 0 to `most`. Throws BadSnapshot otherwise.
  [[nodiscard]] std::uint64_t number(int column, std::uint64_t most) const;
  // The same, or nothing where the file has null.
  [[nodiscard]] std::optional<std::uint64_t> optional_number(int column, std::uint64_t most) const;
  // Any integer: a mask of 64 bits is negative in SQLite when its highest bit is set.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  // As UTF-8: bytes that aren't become U+FFFD, and what is longer than most_text bytes is cut.
  [[nodiscard]] std::string text(int column) const;

  [[noreturn]] void refuse(const std::string& problem) const;

  static constexpr std::size_t most_text = 1024;

 private:
  sqlite3* database_;
  const char* table_;
  sqlite3_stmt* statement_ = nullptr;
};

// An address of a process: below 2^53, so that a double holds it.
inline constexpr std::uint64_t most_address = (std::uint64_t{1} << 53) - 1;

// The same bytes, with U+FFFD for what isn't UTF-8, at most `most` bytes of it.
[[nodiscard]] std::string valid_utf8(const std::string& bytes, std::size_t most);

}  // namespace tarn::sight
