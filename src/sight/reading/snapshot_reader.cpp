#include "sight/reading/snapshot_reader.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string_view>

#include "sight/hot_journal.h"
#include "sight/reading/bad_snapshot.h"

namespace tarn::sight::reading {
namespace {

constexpr const char* tables[] = {"snapshot", "mapping", "ledger",     "pool",
                                  "large",    "block",   "type",       "root",
                                  "frame",    "site",    "site_frame", "reference"};

// Not sqlite3_errmsg: that quotes the file's own names.
[[noreturn]] void refuse(int error) {
  if (error == SQLITE_NOTADB) {
    throw BadSnapshot("it is no snapshot: not a SQLite file");
  }
  throw BadSnapshot(std::string("SQLite can't read it: ") + sqlite3_errstr(error));
}

// The path as a URI, in which nothing has a meaning of its own. Immutable: no lock is taken, and no journal that
// lies beside the file is looked at.
std::string uri_of(const std::string& path) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string uri = "file:";
  for (const char character : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte == '/' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
        (byte >= 'A' && byte <= 'Z')) {
      uri += character;
    } else {
      uri += '%';
      uri += digits[byte >> 4];
      uri += digits[byte & 15];
    }
  }
  return uri + "?mode=ro&immutable=1";
}

// While pages are added to the file, and when that was broken off by force, what was there is in a journal. It counts from
// the moment on at which its first byte isn't zero; before that, the file is as it was.
bool has_hot_journal(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error) {
    return false;
  }
  // Whatever stands there: a pipe isn't waited for, and what can't be read is taken for one.
  const std::string journal = real.string() + "-journal";
  const int file = ::open(journal.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file < 0) {
    return errno != ENOENT;
  }
  struct stat found = {};
  char first = 0;
  const bool is_hot = ::fstat(file, &found) != 0 || !S_ISREG(found.st_mode) ||
                      (::read(file, &first, 1) == 1 && first != 0);
  ::close(file);
  return is_hot;
}

void put_defences_up(sqlite3* database) {
  for (const auto& [option, value] :
       {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        std::pair{SQLITE_DBCONFIG_ENABLE_VIEW, 0}, std::pair{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        std::pair{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}}) {
    if (const int error = sqlite3_db_config(database, option, value, nullptr); error != SQLITE_OK) {
      refuse(error);
    }
  }
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, static_cast<int>(2 * text_limit));
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_exec(database, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", nullptr, nullptr,
               nullptr);
}

Cell cell_at(sqlite3_stmt* statement, int column) {
  Cell cell;
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      cell.kind = Cell::Kind::integer;
      cell.integer = sqlite3_column_int64(statement, column);
      break;
    case SQLITE_FLOAT:
      cell.kind = Cell::Kind::real;
      cell.real = sqlite3_column_double(statement, column);
      break;
    case SQLITE_TEXT: {
      cell.kind = Cell::Kind::text;
      const unsigned char* text = sqlite3_column_text(statement, column);
      if (text == nullptr) {
        refuse(SQLITE_NOMEM);
      }
      cell.text = {reinterpret_cast<const char*>(text),
                   static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
      break;
    }
    case SQLITE_BLOB:
      cell.kind = Cell::Kind::blob;
      break;
    default:
      break;
  }
  return cell;
}

}  // namespace

void SnapshotReader::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close(database);
}

void SnapshotReader::Finish::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

SnapshotReader::SnapshotReader(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw BadSnapshot(std::strerror(error ? error.value() : ENOENT));
  }
  if (std::filesystem::is_directory(path, error)) {
    throw BadSnapshot("it is a folder");
  }
  if (has_hot_journal(path)) {
    throw BadSnapshot(hot_journal_text);
  }
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(uri_of(path).c_str(), &database,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  database_.reset(database);
  if (opened != SQLITE_OK) {
    refuse(opened);
  }
  put_defences_up(database);
  if (pragma("PRAGMA application_id") != application_id) {
    throw BadSnapshot("it is a SQLite file, but no snapshot of Tarn's");
  }
  if (const std::int64_t version = pragma("PRAGMA user_version"); version != schema_version) {
    throw BadSnapshot("it has version " + std::to_string(version) +
                      " of the tables, and this tarn reads " + std::to_string(schema_version));
  }
  expect_plain_tables();
  Query query(*this, "snapshot", "id", "ORDER BY id", 0);
  while (query.step()) {
    const Cell& cell = query.row().front();
    if (cell.kind != Cell::Kind::integer || cell.integer < 0) {
      throw BadSnapshot("table snapshot: id is not a number");
    }
    snapshots_.push_back(static_cast<std::uint64_t>(cell.integer));
  }
  if (snapshots_.empty()) {
    throw BadSnapshot("there is no snapshot in it");
  }
}

std::int64_t SnapshotReader::pragma(const char* sql) const {
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr);
  if (prepared != SQLITE_OK) {
    refuse(prepared);
  }
  const int stepped = sqlite3_step(statement);
  const std::int64_t value = stepped == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (stepped != SQLITE_ROW) {
    refuse(stepped);
  }
  return value;
}

// A virtual table or a generated column computes its rows: there is no end to what a file could ask for so.
void SnapshotReader::expect_plain_tables() {
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(
      database_.get(),
      "SELECT count(*) FROM sqlite_schema WHERE name = ?1 AND type = 'table' AND "
      "sql LIKE 'CREATE TABLE%' AND "
      "(SELECT count(*) FROM pragma_table_xinfo(?1) WHERE hidden <> 0) = 0",
      -1, &statement, nullptr);
  if (prepared != SQLITE_OK) {
    refuse(prepared);
  }
  const std::unique_ptr<sqlite3_stmt, Finish> owner(statement);
  const auto is_plain = [&](const char* table) {
    sqlite3_reset(statement);
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    const int stepped = sqlite3_step(statement);
    if (stepped != SQLITE_ROW) {
      refuse(stepped);
    }
    return sqlite3_column_int64(statement, 0) == 1;
  };
  for (const char* table : tables) {
    if (!is_plain(table)) {
      throw BadSnapshot(std::string("it has no plain table ") + table);
    }
  }
  has_samples_ = is_plain("sample");
}

SnapshotReader::Query::Query(const SnapshotReader& file, const char* table, const char* columns,
                             const char* rest, std::uint64_t snapshot) {
  const bool is_list = std::string_view(table) == "snapshot";
  const std::string sql = std::string("SELECT ") + columns + " FROM " + table + " WHERE " +
                          (is_list ? "(?1 = 0 OR id = ?1) " : "snapshot = ?1 ") + rest;
  sqlite3_stmt* statement = nullptr;
  const int prepared =
      sqlite3_prepare_v2(file.database_.get(), sql.c_str(), -1, &statement, nullptr);
  if (prepared == SQLITE_ERROR) {
    throw BadSnapshot(std::string("table ") + table + " lacks a column");
  }
  if (prepared != SQLITE_OK) {
    refuse(prepared);
  }
  statement_.reset(statement);
  sqlite3_bind_int64(statement, 1, static_cast<std::int64_t>(snapshot));
  cells_.resize(static_cast<std::size_t>(sqlite3_column_count(statement)));
}

bool SnapshotReader::Query::step() {
  const int stepped = sqlite3_step(statement_.get());
  if (stepped == SQLITE_DONE) {
    return false;
  }
  if (stepped != SQLITE_ROW) {
    refuse(stepped);
  }
  for (std::size_t column = 0; column < cells_.size(); ++column) {
    cells_[column] = cell_at(statement_.get(), static_cast<int>(column));
  }
  return true;
}

}  // namespace tarn::sight::reading
