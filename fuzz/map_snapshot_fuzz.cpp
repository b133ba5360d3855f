// A small snapshot file with any of its values replaced by any other: either refused with a reason, or made into
// columns in which every slot that is named exists.
//
// The input is a sequence of changes of 12 bytes: table, column, row, kind of value, and 8 bytes of it.

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "sight/map/bad_snapshot.h"
#include "sight/map/snapshot_columns.h"
#include "sight/map/snapshot_database.h"
#include "sight/map/value_columns.h"
#include "sight/schema.h"

namespace {

using namespace tarn::sight;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

constexpr const char* content = R"sql(
INSERT INTO snapshot VALUES (1,1.5,'exit',7,'app.py','3.11.2','0.1','tarn','range','none',4096,65536,1,1,0,0),
  (2,2.5,'exit',7,'app.py','3.11.2','0.1','tarn','range','none',4096,65536,1,1,0,0);
INSERT INTO mapping VALUES (1,65536,65536,32768,'rw-p','arenas',''),(2,65536,65536,32768,'rw-p','arenas','');
INSERT INTO ledger VALUES (1,0,'live','live blocks',4096),(2,0,'live','live blocks',4096);
INSERT INTO arena VALUES (1,65536,65536,'python','small',4,2,0,32768),(2,65536,65536,'python','small',4,2,0,32768);
INSERT INTO pool VALUES (1,65536,65536,16384,'used','obj',3,64,256,2,253,192,65664,4096,1,1),
  (1,81920,65536,16384,'untouched',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0),
  (2,65536,65536,16384,'used','obj',3,64,256,2,253,192,65664,4096,1,1);
INSERT INTO large VALUES (1,1048576,65536,'python','span',65536);
INSERT INTO block VALUES (1,65536,64,0,65536,2,1,NULL,1,16,1,2,1,NULL,NULL,1,0,1),
  (1,65600,64,0,65536,2,1,NULL,2,0,NULL,NULL,NULL,65536,NULL,1,1,NULL),
  (1,65664,64,0,65536,2,2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
  (1,1048576,65536,1,NULL,2,1,NULL,1,0,1,1,0,NULL,65536,1,1,1),
  (1,2097152,416,2,NULL,NULL,1,NULL,1,0,1,NULL,0,NULL,65536,1,1,NULL),
  (2,65536,64,0,65536,2,1,NULL,1,16,1,2,1,NULL,NULL,1,0,1);
INSERT INTO type VALUES (1,1,2097152,'app','Session',48,0),(2,1,2097152,'app','Session',48,0);
INSERT INTO root VALUES (1,1,65536,'global','app.cache',NULL,NULL),(2,1,65536,'local','cache',1,1);
INSERT INTO frame VALUES (1,1,'login','app.py',88),(2,1,'login','app.py',88);
INSERT INTO site VALUES (1,1,65536);
INSERT INTO site_frame VALUES (1,1,0,1),(1,1,1,1);
INSERT INTO value VALUES (1,1048576,'b''a large one'''),(1,2097152,'1.5'),(2,65536,'7');
)sql";
constexpr std::array tables = {"snapshot", "mapping", "ledger", "arena", "pool",       "large",
                               "block",    "type",    "root",   "frame", "site_frame", "value"};
constexpr std::size_t change_bytes = 12;
constexpr std::uint64_t most_bytes_of_values = 24;  // room for some of them

struct Template {
  std::vector<std::vector<std::string>> columns;  // of each table
  std::string bytes;
};

Template make_template() {
  Template made;
  sqlite3* database = nullptr;
  require(sqlite3_open(":memory:", &database) == SQLITE_OK);
  require(sqlite3_exec(database, schema, nullptr, nullptr, nullptr) == SQLITE_OK);
  require(sqlite3_exec(database, content, nullptr, nullptr, nullptr) == SQLITE_OK);
  const std::string marks = "PRAGMA application_id=" + std::to_string(application_id) +
                            "; PRAGMA user_version=" + std::to_string(schema_version);
  require(sqlite3_exec(database, marks.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  for (const char* table : tables) {
    sqlite3_stmt* statement = nullptr;
    require(sqlite3_prepare_v2(database, (std::string("SELECT * FROM ") + table).c_str(), -1,
                               &statement, nullptr) == SQLITE_OK);
    auto& names = made.columns.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      names.emplace_back(sqlite3_column_name(statement, i));
    }
    sqlite3_finalize(statement);
  }
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(database, "main", &size, 0);
  made.bytes.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  sqlite3_close(database);
  return made;
}

void change(sqlite3* database, const Template& made, const std::uint8_t* bytes) {
  const std::size_t table = bytes[0] % tables.size();
  const auto& names = made.columns[table];
  const std::string query =
      std::string("UPDATE OR IGNORE ") + tables[table] + " SET " + names[bytes[1] % names.size()] +
      " = ?1 WHERE " + names[0] + " >= 0 AND (" + names[1] + " IN (SELECT " + names[1] + " FROM " +
      tables[table] + " ORDER BY 1 LIMIT 1 OFFSET " + std::to_string(bytes[2] % 6) + "))";
  sqlite3_stmt* statement = nullptr;
  require(sqlite3_prepare_v2(database, query.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  std::int64_t value = 0;
  std::memcpy(&value, bytes + 4, sizeof value);
  switch (bytes[3] % 6) {
    case 0:
      sqlite3_bind_null(statement, 1);
      break;
    case 1:
      sqlite3_bind_int64(statement, 1, value);
      break;
    case 2:
      sqlite3_bind_int64(statement, 1, value & 0xff);
      break;
    case 3:
      sqlite3_bind_int64(statement, 1, 65536 + 64 * (value & 0x3ff));
      break;
    case 4:
      sqlite3_bind_text(statement, 1, reinterpret_cast<const char*>(bytes + 4), 8,
                        SQLITE_TRANSIENT);
      break;
    default:
      sqlite3_bind_double(statement, 1, static_cast<double>(value) / 7);
      break;
  }
  sqlite3_step(statement);
  sqlite3_finalize(statement);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Template made = make_template();
  // SQLite follows names under /proc to files that have none. The same file each time, whole again.
  static const std::string path = [] {
    std::string name = "/dev/shm/fuzz-map-snapshot.XXXXXX";
    const int made_file = ::mkstemp(name.data());
    require(made_file >= 0);
    ::close(made_file);
    return name;
  }();
  static const int remove_at_exit = std::atexit([] { ::unlink(path.c_str()); });
  static_cast<void>(remove_at_exit);
  const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC);
  require(file >= 0 && ::write(file, made.bytes.data(), made.bytes.size()) ==
                           static_cast<ssize_t>(made.bytes.size()));
  ::close(file);
  sqlite3* database = nullptr;
  require(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  sqlite3_exec(database, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; BEGIN", nullptr,
               nullptr, nullptr);
  for (std::size_t at = 0; at + change_bytes <= size && at < 32 * change_bytes;
       at += change_bytes) {
    change(database, made, data + at);
  }
  sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  try {
    const SnapshotDatabase snapshot(path);
    const std::vector<std::int64_t> ids = snapshot_ids(snapshot);
    ValueColumns values(most_bytes_of_values);
    values.choose(snapshot, ids);
    std::size_t taken = 0;
    const std::string names = read_columns(
        snapshot, ids,
        [&](const std::string& columns) {
          require(columns.size() % 8 == 0);
          ++taken;
        },
        [&](Columns& columns, std::int64_t id, const Slots& slots) {
          values.add_to(columns, snapshot, id, slots);
        });
    require(taken > 0 && names.size() % 8 == 0);
  } catch (const BadSnapshot& bad) {
    require(std::string_view(bad.what()).size() > 8);
  }
  return 0;
}
