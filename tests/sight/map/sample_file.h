// Files of sample snapshots (sight/sample_stream.h), and the columns that are made of them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sight/holders.h"
#include "sight/map/columns.h"
#include "sight/map/snapshot_columns.h"
#include "sight/sample_stream.h"
#include "sight/snapshot_file.h"
#include "sight/stream_reader.h"

namespace tarn::sight {

// In a folder of its own, which goes with it.
class SampleFile {
 public:
  SampleFile() {
    char name[] = "/tmp/tarn-map-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~SampleFile() { std::filesystem::remove_all(folder_); }
  SampleFile(const SampleFile&) = delete;
  SampleFile& operator=(const SampleFile&) = delete;

  [[nodiscard]] std::string path() const { return folder_ + "/sample.sqlite"; }

  void add_snapshot() const {
    StreamReader reader;
    reader.take(sample_stream());
    Capture capture = reader.finish();
    find_holders(capture);
    static_cast<void>(write_snapshot(path(), capture, {},
                                     {.existing = Existing::append, .has_references = true}));
  }

 private:
  std::string folder_;
};

// Columns as the page reads them (sight/map/columns.h), by name.
struct ReadColumns {
  std::map<std::string, std::vector<double>> numbers;
  std::map<std::string, std::vector<std::string>> texts;

  explicit ReadColumns(const std::string& bytes) {
    const auto u32 = [&](std::size_t at) {
      std::uint32_t value = 0;
      std::memcpy(&value, bytes.data() + at, sizeof value);
      return value;
    };
    const auto aligned = [](std::size_t at) { return (at + 7) & ~std::size_t{7}; };
    std::size_t at = 16;
    for (std::uint32_t left = u32(8); left != 0; --left) {
      const char kind = bytes[at];
      const std::string name = bytes.substr(at + 2, static_cast<unsigned char>(bytes[at + 1]));
      at = aligned(at + 2 + name.size());
      const std::size_t elements = u32(at);
      const std::size_t size = u32(at + 4);
      at += 8;
      if (kind == 5) {
        const std::size_t start = at + 4 * (elements + 1);
        for (std::size_t i = 0; i < elements; ++i) {
          const std::size_t first = u32(at + 4 * i);
          texts[name].push_back(bytes.substr(start + first, u32(at + 4 * (i + 1)) - first));
        }
      } else {
        read_numbers(name, bytes.data() + at, elements, elements == 0 ? 1 : size / elements);
      }
      at = aligned(at + size);
    }
  }

  [[nodiscard]] double number(const std::string& name) const { return numbers.at(name).at(0); }
  [[nodiscard]] std::string text(const std::string& name) const { return texts.at(name).at(0); }

 private:
  // Little-endian, of a size each.
  void read_numbers(const std::string& name, const char* bytes, std::size_t elements,
                    std::size_t size) {
    std::vector<double>& column = numbers[name];
    for (std::size_t i = 0; i < elements; ++i) {
      if (size == sizeof(double)) {
        double value = 0;
        std::memcpy(&value, bytes + i * size, size);
        column.push_back(value);
      } else {
        std::uint32_t value = 0;
        std::memcpy(&value, bytes + i * size, size);
        column.push_back(value);
      }
    }
  }
};

// The columns of each of the snapshots, with those that `add` adds.
inline std::vector<ReadColumns> columns_of(const SnapshotDatabase& database,
                                           const AddColumns& add) {
  std::vector<ReadColumns> all;
  static_cast<void>(read_columns(
      database, snapshot_ids(database),
      [&](const std::string& columns) { all.emplace_back(columns); }, add));
  return all;
}

}  // namespace tarn::sight
