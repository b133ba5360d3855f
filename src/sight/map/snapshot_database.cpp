#include "sight/map/snapshot_database.h"

#include <sqlite3.h>

#include <cmath>

#include "sight/hot_journal.h"
#include "sight/map/bad_snapshot.h"
#include "sight/schema.h"

namespace tarn::sight {
namespace {

constexpr int most_value_bytes = 1 << 20;

// Its text for people; file names in it come from the caller, who escapes.
[[noreturn]] void refuse_file(sqlite3* database) {
  if (database != nullptr && sqlite3_extended_errcode(database) == SQLITE_READONLY_ROLLBACK) {
    throw BadSnapshot(hot_journal_text);
  }
  throw BadSnapshot(database == nullptr ? "out of memory" : sqlite3_errmsg(database));
}

}  // namespace

SnapshotDatabase::SnapshotDatabase(const std::string& path) {
  if (sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                      nullptr) != SQLITE_OK) {
    const std::string reason = database_ == nullptr ? "out of memory" : sqlite3_errmsg(database_);
    sqlite3_close(database_);
    throw BadSnapshot(reason);
  }
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(database_, SQLITE_LIMIT_LENGTH, most_value_bytes);
  sqlite3_exec(database_, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA query_only=ON",
               nullptr, nullptr, nullptr);
  try {
    if (pragma("application_id") != application_id) {
      throw BadSnapshot("it isn't a snapshot that tarn made");
    }
    if (const std::int64_t version = pragma("user_version"); version != schema_version) {
      throw BadSnapshot("its schema has the version " + std::to_string(version) +
                        ", and this tarn knows " + std::to_string(schema_version));
    }
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

SnapshotDatabase::~SnapshotDatabase() { sqlite3_close(database_); }

std::int64_t SnapshotDatabase::pragma(const char* name) const {
  sqlite3_stmt* statement = nullptr;
  const std::string query = std::string("PRAGMA ") + name;
  if (sqlite3_prepare_v2(database_, query.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    refuse_file(database_);
  }
  const int result = sqlite3_step(statement);
  const std::int64_t value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (result != SQLITE_ROW) {
    refuse_file(database_);
  }
  return value;
}

Rows::Rows(const SnapshotDatabase& database, const char* table, const char* query,
           std::int64_t snapshot)
    : database_(database.handle()), table_(table) {
  if (sqlite3_prepare_v2(database_, query, -1, &statement_, nullptr) != SQLITE_OK) {
    refuse(sqlite3_errmsg(database_));
  }
  if (sqlite3_bind_parameter_count(statement_) > 0) {
    sqlite3_bind_int64(statement_, 1, snapshot);
  }
}

Rows::~Rows() { sqlite3_finalize(statement_); }

bool Rows::next() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      refuse(sqlite3_errmsg(database_));
  }
}

std::uint64_t Rows::number(int column, std::uint64_t most) const {
  const auto value = optional_number(column, most);
  if (!value) {
    refuse(std::string(sqlite3_column_name(statement_, column)) + " is missing");
  }
  return *value;
}

std::optional<std::uint64_t> Rows::optional_number(int column, std::uint64_t most) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) {
    return std::nullopt;
  }
  const std::int64_t value = integer(column);
  if (value < 0 || static_cast<std::uint64_t>(value) > most) {
    refuse(std::string(sqlite3_column_name(statement_, column)) + " is " + std::to_string(value) +
           ", which isn't from 0 to " + std::to_string(most));
  }
  return static_cast<std::uint64_t>(value);
}

std::int64_t Rows::integer(int column) const {
  if (sqlite3_column_type(statement_, column) != SQLITE_INTEGER) {
    refuse(std::string(sqlite3_column_name(statement_, column)) + " is no integer");
  }
  return sqlite3_column_int64(statement_, column);
}

double Rows::real(int column) const {
  const int type = sqlite3_column_type(statement_, column);
  const double value = sqlite3_column_double(statement_, column);
  if ((type != SQLITE_FLOAT && type != SQLITE_INTEGER) || !std::isfinite(value)) {
    refuse(std::string(sqlite3_column_name(statement_, column)) + " is no number");
  }
  return value;
}

std::string Rows::text(int column) const {
  if (sqlite3_column_type(statement_, column) != SQLITE_TEXT) {
    refuse(std::string(sqlite3_column_name(statement_, column)) + " is no text");
  }
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string() : valid_utf8(std::string(bytes, size), most_text);
}

void Rows::refuse(const std::string& problem) const {
  throw BadSnapshot(std::string("its table ") + table_ + " is damaged: " + problem);
}

std::string valid_utf8(const std::string& bytes, std::size_t most) {
  static constexpr char replacement[] = "\xef\xbf\xbd";
  std::string valid;
  for (std::size_t i = 0; i < bytes.size() && valid.size() < most;) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xc2 && first < 0xe0 ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    bool whole = length > 0 && i + length <= bytes.size();
    for (std::size_t k = 1; whole && k < length; ++k) {
      whole = (static_cast<unsigned char>(bytes[i + k]) & 0xc0) == 0x80;
    }
    if (whole && length >= 3) {
      // Longer than need be, surrogates, and what is beyond U+10FFFF.
      const auto second = static_cast<unsigned char>(bytes[i + 1]);
      whole = !((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
                (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90));
    }
    if (whole) {
      valid.append(bytes, i, length);
      i += length;
    } else {
      valid += replacement;
      ++i;
    }
  }
  return valid;
}

}  // namespace tarn::sight
