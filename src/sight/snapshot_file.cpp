#include "sight/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "sight/clean_text.h"
#include "sight/database.h"

namespace tarn::sight {

namespace {

constexpr const char* domain_names[] = {"raw", "mem", "obj"};
constexpr const char* pool_states[] = {"untouched", "empty", "used", "full"};
constexpr const char* heap_names[] = {"python", "raw"};

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw CantWrite("can't write " + clean_text(path) + ": " + why);
}

std::string insertion(const char* table, int columns) {
  std::string sql = std::string("INSERT INTO ") + table + " VALUES (?";
  for (int i = 1; i < columns; ++i) {
    sql += ",?";
  }
  return sql + ")";
}

// One snapshot's rows.
class Rows {
 public:
  Rows(const Database& database, const Capture& capture, std::int64_t id)
      : database_(database), capture_(capture), id_(id) {}

  void write(const Surroundings& surroundings, bool has_references) {
    const std::uint64_t taken = capture_.facts.taken_at;
    Statement(database_, insertion("snapshot", 16))
        .run(id_, static_cast<double>(taken) / 1e6, surroundings.reason, capture_.facts.pid,
             surroundings.program, surroundings.python, surroundings.tarn, surroundings.geometry,
             surroundings.address_map, surroundings.checks, capture_.facts.page_size,
             surroundings.resident, capture_.end.pause, capture_.end.capture,
             capture_.end.unreadable, has_references ? 1 : 0);
    Statement mapping(database_, insertion("mapping", 7));
    for (const MappingRow& row : surroundings.mappings) {
      mapping.run(id_, row.start, row.size, row.resident, row.permissions, row.owner, row.name);
    }
    Statement ledger(database_, insertion("ledger", 5));
    for (std::size_t i = 0; i < surroundings.ledger.size(); ++i) {
      const LedgerRow& row = surroundings.ledger[i];
      ledger.run(id_, i, row.key, row.name, row.bytes);
    }
    write_arenas(surroundings.geometry);
    write_blocks();
    write_names();
    write_sites();
    write_values();
    if (has_references) {
      write_references();
    }
  }

 private:
  void write_arenas(const std::string& geometry) {
    constexpr std::uint64_t medium_arena = std::uint64_t{4} << 20;
    Statement arena(database_, insertion("arena", 9));
    for (const Arena& row : capture_.arenas) {
      const char* const tier = geometry == "tarn" && row.size == medium_arena ? "medium" : "small";
      arena.run(id_, row.address, row.size, heap_names[static_cast<std::size_t>(row.heap)], tier,
                row.pools, row.nfreepools,
                Statement::maybe(row.usable_order != not_usable, row.usable_order), row.resident);
    }
    Statement pool(database_, insertion("pool", 16));
    for (const Pool& row : capture_.pools) {
      const bool has = row.blocks != 0;
      const auto of_blocks = [has](std::uint64_t value) { return Statement::maybe(has, value); };
      if (has) {
        pool.run(id_, row.address, row.arena, row.size, pool_states[row.state],
                 domain_names[row.domain], row.szidx, row.block_size, row.blocks, row.allocated,
                 row.untouched, row.untouched_at,
                 Statement::maybe(row.freeblock != 0, row.freeblock), resident_of(row),
                 row.resident_pages, row.live_pages);
      } else {
        pool.run(id_, row.address, row.arena, row.size, pool_states[row.state], Null(), Null(),
                 Null(), Null(), Null(), Null(), Null(), of_blocks(0), resident_of(row),
                 row.resident_pages, 0);
      }
    }
    Statement large(database_, insertion("large", 6));
    for (const LargeRecord& row : capture_.large) {
      large.run(id_, row.address, row.size, heap_names[static_cast<std::size_t>(row.heap)],
                row.is_mapping != 0 ? "mapping" : "span", row.resident);
    }
  }

  [[nodiscard]] std::uint64_t resident_of(const Pool& pool) const {
    const std::uint64_t bytes =
        static_cast<std::uint64_t>(__builtin_popcountll(pool.resident_pages)) *
        capture_.facts.page_size;
    return bytes < pool.size ? bytes : pool.size;
  }

  [[nodiscard]] auto address(std::uint32_t block) const {
    return Statement::maybe(block != no_block,
                            block == no_block ? 0 : capture_.blocks[block].address);
  }

  [[nodiscard]] std::uint32_t site_id(const Block& block) const {
    return block.site == no_site ? 0 : capture_.sites[block.site].id;
  }

  void write_blocks() {
    Statement insert(database_, insertion("block", 18));
    for (const Block& block : capture_.blocks) {
      const bool is_live = block.state == Taken::allocated;
      const bool is_object = block.content == Content::object;
      const bool has_type = is_object || block.content == Content::spare;
      const bool is_outside = block.place == Place::outside;
      insert.run(
          id_, block.address, block.size, static_cast<int>(block.place),
          Statement::maybe(block.place == Place::pool, block.pool),
          Statement::maybe(!is_outside, block.domain), static_cast<int>(block.state),
          Statement::maybe(block.next_free != 0, block.next_free),
          Statement::maybe(is_live, static_cast<int>(block.content)),
          Statement::maybe(has_type, block.prefix), Statement::maybe(has_type, block.type),
          Statement::maybe(is_object && (block.flags & object_flags::immortal) == 0,
                           block.refcount),
          Statement::maybe(is_object && !is_outside, (block.flags & object_flags::tracked) != 0),
          address(block.owner), address(block.holder),
          Statement::maybe(block.root != no_root, block.root),
          Statement::maybe(block.root != no_root, block.depth),
          Statement::maybe(block.site != no_site, site_id(block)));
    }
  }

  void write_names() {
    Statement type(database_, insertion("type", 7));
    for (const Type& row : capture_.types) {
      type.run(id_, row.id, row.address, row.module, row.name, row.basicsize, row.itemsize);
    }
    Statement root(database_, insertion("root", 7));
    for (std::size_t i = 0; i < capture_.roots.size(); ++i) {
      const Root& row = capture_.roots[i];
      root.run(id_, i, capture_.blocks[row.block].address, row.kind, row.name,
               Statement::maybe(row.is_local, row.frame),
               Statement::maybe(row.is_local, row.thread));
    }
    Statement thread(database_, "INSERT OR IGNORE INTO thread VALUES (?,?,?)");
    for (const Thread& row : capture_.threads) {
      thread.run(id_, row.id, row.name);
    }
    Statement frame(database_, insertion("frame", 5));
    Statement of_thread(database_, "INSERT OR IGNORE INTO thread_frame VALUES (?,?,?,?)");
    for (std::size_t i = 0; i < capture_.frames.size(); ++i) {
      const Frame& row = capture_.frames[i];
      frame.run(id_, i, row.function, row.file, row.line);
      of_thread.run(id_, row.thread, row.position, i);
    }
  }

  void write_sites() {
    // Behind the lines that are being executed.
    const std::size_t first = capture_.frames.size();
    Statement frame(database_, insertion("frame", 5));
    for (std::size_t i = 0; i < capture_.lines.size(); ++i) {
      const Line& row = capture_.lines[i];
      frame.run(id_, first + i, row.function, row.file, row.line);
    }
    Statement site(database_, insertion("site", 3));
    Statement of_site(database_, insertion("site_frame", 4));
    for (const Site& row : capture_.sites) {
      site.run(id_, row.id, capture_.sampling_rate);
      for (std::size_t i = 0; i < row.lines.size(); ++i) {
        of_site.run(id_, row.id, i, first + row.lines[i]);
      }
    }
    Statement sample(database_, insertion("sample", 3));
    for (const Sample& row : capture_.samples) {
      sample.run(id_, capture_.blocks[row.block].address, row.weight);
    }
  }

  // A block may have turned out to be no object, but what one left behind: nothing is said of it then.
  void write_values() {
    Statement value(database_, insertion("value", 3));
    for (const Value& row : capture_.values) {
      if (capture_.blocks[row.block].content == Content::object) {
        value.run(id_, capture_.blocks[row.block].address, row.text);
      }
    }
  }

  void write_references() {
    Statement insert(database_, insertion("reference", 3));
    for (const References& row : capture_.references) {
      for (std::size_t i = row.first; i < row.last; ++i) {
        insert.run(id_, capture_.blocks[row.source].address,
                   capture_.blocks[capture_.targets[i]].address);
      }
    }
  }

  const Database& database_;
  const Capture& capture_;
  const std::int64_t id_;
};

void create_tables(Database& database) {
  database.execute("PRAGMA application_id = " + std::to_string(application_id));
  database.execute("PRAGMA user_version = " + std::to_string(schema_version));
  database.execute(schema);
}

// What a file of this version may lack, having been made before that came.
void add_tables(Database& database) {
  for (const char* const name : {"TABLE sample", "TABLE value", "VIEW allocated_at"}) {
    const std::string_view all = schema;
    const std::size_t start = all.find(std::string("CREATE ") + name);
    const std::size_t end = all.find(";\n", start);
    std::string sql(all.substr(start, end - start));
    sql.insert(sql.find(' ', sizeof("CREATE")), " IF NOT EXISTS");
    database.execute(sql);
  }
}

void write_new(const std::string& path, const Capture& capture, const Surroundings& surroundings,
               const WriteOptions& options) {
  Database database(path, SQLITE_OPEN_READWRITE);
  database.be_called_off_by(options.is_called_off);
  // Nobody reads it until it has its name, and a half one is thrown away.
  database.execute("PRAGMA journal_mode = OFF");
  database.execute("PRAGMA synchronous = OFF");
  database.execute("PRAGMA locking_mode = EXCLUSIVE");
  database.execute("BEGIN");
  create_tables(database);
  Rows(database, capture, 1).write(surroundings, options.has_references);
  database.execute("COMMIT");
  database.expect_wanted();
}

// Short texts of objects come into a file that its owner may have shown to others while it had none.
void keep_from_others(const std::string& path) {
  struct stat found = {};
  constexpr mode_t others = S_IRWXG | S_IRWXO;
  if (::stat(path.c_str(), &found) != 0 ||
      ((found.st_mode & others) != 0 && ::chmod(path.c_str(), found.st_mode & S_IRWXU) != 0)) {
    throw CantWrite(clean_text(path) +
                    " can be read by others, which values must not be; nothing was added");
  }
}

std::int64_t add_to(const std::string& path, const Capture& capture,
                    const Surroundings& surroundings, const WriteOptions& options) {
  Database database(path, SQLITE_OPEN_READWRITE);
  database.be_called_off_by(options.is_called_off);
  constexpr int patience = 10'000;  // milliseconds, for another that writes or reads
  ::sqlite3_busy_timeout(database.handle(), patience);
  database.execute("BEGIN IMMEDIATE");
  if (Statement(database, "PRAGMA application_id").number() != application_id) {
    throw CantWrite(clean_text(path) + " holds no snapshots of Tarn's; nothing was added");
  }
  if (Statement(database, "PRAGMA user_version").number() != schema_version) {
    throw CantWrite(clean_text(path) +
                    " was written by another version of Tarn; nothing was added");
  }
  if (!capture.values.empty()) {
    keep_from_others(path);
  }
  add_tables(database);
  const std::int64_t id =
      Statement(database, "SELECT coalesce(max(id), 0) + 1 FROM snapshot").number();
  Rows(database, capture, id).write(surroundings, options.has_references);
  database.expect_wanted();
  database.execute("COMMIT");
  return id;
}

// A file beside the place, removed again unless it got there.
class Beside {
 public:
  explicit Beside(const std::string& path) : target_(path), temporary_(path + ".XXXXXX") {
    descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
    if (descriptor_ < 0) {
      fail(path, std::strerror(errno));
    }
  }
  ~Beside() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    if (!is_done_) {
      ::unlink(temporary_.c_str());
    }
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

  [[nodiscard]] const std::string& path() const { return temporary_; }

  void take_place() {
    if (::fsync(descriptor_) != 0 || ::rename(temporary_.c_str(), target_.c_str()) != 0) {
      fail(target_, std::strerror(errno));
    }
    is_done_ = true;
  }

 private:
  std::string target_;
  std::string temporary_;
  int descriptor_ = -1;
  bool is_done_ = false;
};

}  // namespace

std::int64_t write_snapshot(const std::string& path, const Capture& capture,
                            const Surroundings& surroundings, const WriteOptions& options) {
  struct stat status = {};
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  if (is_there && !S_ISREG(status.st_mode)) {
    fail(path, S_ISDIR(status.st_mode) ? "it is a folder" : "it is no plain file");
  }
  try {
    if (is_there && options.existing == Existing::append && status.st_size != 0) {
      return add_to(path, capture, surroundings, options);
    }
    Beside file(path);
    write_new(file.path(), capture, surroundings, options);
    file.take_place();
    return 1;
  } catch (const DatabaseError& error) {
    fail(path, clean_text(error.what()));
  }
}

}  // namespace tarn::sight
