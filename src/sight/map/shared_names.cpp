#include "sight/map/shared_names.h"

#include "sight/map/bad_snapshot.h"

namespace tarn::sight {
namespace {

constexpr std::uint64_t most_id = (std::uint64_t{1} << 62);
constexpr std::uint64_t most_line = 1U << 31;
constexpr std::uint64_t most_page_size = 1U << 30;
constexpr std::size_t most_frames = 128;
constexpr std::size_t most_names = 4'000'000;

}  // namespace

std::uint32_t SharedNames::Table::number_of(const std::vector<std::string>& texts) {
  std::string key;
  for (const std::string& text : texts) {
    key += std::to_string(text.size()) + ':' + text;
  }
  const auto [found, is_new] =
      numbers.try_emplace(std::move(key), static_cast<std::uint32_t>(numbers.size() + 1));
  if (is_new) {
    if (numbers.size() > most_names) {
      throw BadSnapshot("it holds more names than a page can show");
    }
    columns.resize(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      columns[i].push_back(texts[i]);
    }
  }
  return found->second;
}

void SharedNames::read_snapshot(const SnapshotDatabase& database, std::int64_t id) {
  Rows rows(database, "snapshot",
            "SELECT taken_at, reason, pid, program, python, geometry, page_size, resident, pause_ns"
            " FROM snapshot WHERE id = ?",
            id);
  if (!rows.next()) {
    throw BadSnapshot("it has no snapshot " + std::to_string(id));
  }
  taken_at_.push_back(rows.real(0));
  reasons_.push_back(rows.text(1));
  pids_.push_back(static_cast<double>(rows.number(2, most_id)));
  programs_.push_back(rows.text(3));
  pythons_.push_back(rows.text(4));
  geometries_.push_back(rows.text(5));
  const std::uint64_t page_size = rows.number(6, most_page_size);
  if (page_size < 1024 || (page_size & (page_size - 1)) != 0) {
    rows.refuse("page_size is " + std::to_string(page_size));
  }
  page_sizes_.push_back(static_cast<double>(page_size));
  resident_.push_back(static_cast<double>(rows.number(7, most_address)));
  pause_.push_back(static_cast<double>(rows.number(8, most_id)));
}

SharedNames::Numbers SharedNames::read_types(const SnapshotDatabase& database, std::int64_t id) {
  Numbers numbers;
  Rows rows(database, "type", "SELECT id, module, name FROM type WHERE snapshot = ?", id);
  while (rows.next()) {
    numbers[rows.number(0, most_id)] = types_.number_of({rows.text(1), rows.text(2)});
  }
  return numbers;
}

SharedNames::Numbers SharedNames::read_roots(const SnapshotDatabase& database, std::int64_t id) {
  Numbers numbers;
  Rows rows(database, "root",
            "SELECT root.id, root.kind, root.name, frame.function, frame.file, frame.line FROM root"
            " LEFT JOIN frame ON frame.snapshot = root.snapshot AND frame.id = root.frame"
            " WHERE root.snapshot = ?",
            id);
  while (rows.next()) {
    std::string where;
    if (const auto line = rows.optional_number(5, most_line)) {
      where = rows.text(3) + "\t" + rows.text(4) + "\t" + std::to_string(*line);
    }
    numbers[rows.number(0, most_id)] = roots_.number_of({rows.text(1), rows.text(2), where});
  }
  return numbers;
}

SharedNames::Numbers SharedNames::read_sites(const SnapshotDatabase& database, std::int64_t id) {
  Numbers numbers;
  Rows rows(database, "site_frame",
            "SELECT site_frame.site, frame.function, frame.file, frame.line FROM site_frame"
            " JOIN frame ON frame.snapshot = site_frame.snapshot AND frame.id = site_frame.frame"
            " WHERE site_frame.snapshot = ? ORDER BY site_frame.site, site_frame.position",
            id);
  std::uint64_t site = 0;
  std::size_t frames = 0;
  std::string text;
  const auto finish = [&] {
    if (frames > 0) {
      numbers[site] = sites_.number_of({text});
    }
    text.clear();
    frames = 0;
  };
  while (rows.next()) {
    if (const std::uint64_t here = rows.number(0, most_id); here != site) {
      finish();
      site = here;
    }
    if (frames < most_frames) {
      text += (frames > 0 ? "\n" : "") + rows.text(1) + "\t" + rows.text(2) + "\t" +
              std::to_string(rows.number(3, most_line));
      ++frames;
    }
  }
  finish();
  return numbers;
}

void SharedNames::add_to(Columns& columns) const {
  columns.add("snapshot.taken_at", taken_at_);
  columns.add("snapshot.reason", reasons_);
  columns.add("snapshot.pid", pids_);
  columns.add("snapshot.program", programs_);
  columns.add("snapshot.python", pythons_);
  columns.add("snapshot.geometry", geometries_);
  columns.add("snapshot.page_size", page_sizes_);
  columns.add("snapshot.resident", resident_);
  columns.add("snapshot.pause_ns", pause_);
  const auto add_table = [&](const Table& table, const std::vector<const char*>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      columns.add(names[i],
                  i < table.columns.size() ? table.columns[i] : std::vector<std::string>());
    }
  };
  add_table(types_, {"type.module", "type.name"});
  add_table(roots_, {"root.kind", "root.name", "root.where"});
  add_table(sites_, {"site.frames"});
}

}  // namespace tarn::sight
