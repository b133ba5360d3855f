#include "tools/cli/memory_map.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

[[noreturn]] void refuse(std::string_view line) {
  throw BadMap(
      fmt::format("smaps: '{}' isn't understood", shorten(escape(line.substr(0, 200)), 60)));
}

// The number that the text begins with, which is cut off; false: there is none.
bool take_number(std::string_view& text, std::uint64_t& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

// "55d0c000-55d0e000 r--p 00000000 08:01 1234   /usr/bin/python3.11"
Mapping read_header(std::string_view line) {
  Mapping mapping;
  std::string_view rest = line;
  if (!take_number(rest, mapping.start, 16) || !rest.starts_with('-')) {
    refuse(line);
  }
  rest.remove_prefix(1);
  if (!take_number(rest, mapping.end, 16) || mapping.end < mapping.start) {
    refuse(line);
  }
  for (int word = 0; word < 4; ++word) {  // rights, offset, device, inode
    skip_blanks(rest);
    const std::size_t length = std::min(rest.find(' '), rest.size());
    if (word == 0) {
      mapping.permissions = rest.substr(0, length);
    }
    rest.remove_prefix(length);
  }
  skip_blanks(rest);
  mapping.name = rest;
  return mapping;
}

// "Rss:  4 kB" and its kin begin with a capital letter, a mapping with a digit of its address.
bool is_header(std::string_view line) {
  return !line.empty() && ((line.front() >= '0' && line.front() <= '9') ||
                           (line.front() >= 'a' && line.front() <= 'f'));
}

}  // namespace

std::vector<Mapping> read_memory_map(std::string_view smaps) {
  constexpr std::string_view resident = "Rss:";
  std::vector<Mapping> mappings;
  for (const std::string_view line : lines_of(smaps)) {
    if (is_header(line)) {
      mappings.push_back(read_header(line));
    } else if (line.starts_with(resident)) {
      std::string_view rest = line.substr(resident.size());
      skip_blanks(rest);
      std::uint64_t kib = 0;
      if (mappings.empty() || !take_number(rest, kib, 10) || kib > (std::uint64_t{1} << 36)) {
        refuse(line);
      }
      mappings.back().resident = kib * 1024;
    }
  }
  return mappings;
}

std::vector<std::uint64_t> stack_pointers(pid_t pid) {
  std::vector<std::uint64_t> pointers;
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    // "7 0x7ffd… 0x1 … 0x7ffd0c3b1e88 0x7f1e2a0f6b1c": the last two are the stack and the instruction.
    std::ifstream file(thread.path() / "syscall");
    std::string line;
    std::getline(file, line);
    const std::size_t last = line.rfind(" 0x");
    const std::size_t start =
        last == std::string::npos || last == 0 ? last : line.rfind(" 0x", last - 1);
    std::uint64_t pointer = 0;
    if (start != std::string::npos && start < last) {
      std::string_view word = std::string_view(line).substr(start + 3, last - start - 3);
      if (take_number(word, pointer, 16) && word.empty()) {
        pointers.push_back(pointer);
      }
    }
  }
  return pointers;
}

std::uint64_t resident_between(pid_t pid, std::uint64_t start, std::uint64_t end) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const int file = ::open(fmt::format("/proc/{}/pagemap", pid).c_str(), O_RDONLY | O_CLOEXEC);
  std::uint64_t count = 0;
  std::uint64_t at = start / page;
  const std::uint64_t last = end / page;
  constexpr std::uint64_t present = std::uint64_t{1} << 63;
  std::vector<std::uint64_t> entries(4096);
  while (file >= 0 && at < last) {
    const std::uint64_t wanted = std::min<std::uint64_t>(last - at, entries.size());
    const ssize_t got = ::pread(file, entries.data(), wanted * sizeof(std::uint64_t),
                                static_cast<off_t>(at * sizeof(std::uint64_t)));
    if (got <= 0) {
      break;
    }
    const std::size_t read = static_cast<std::size_t>(got) / sizeof(std::uint64_t);
    count += static_cast<std::uint64_t>(
        std::count_if(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(read),
                      [](std::uint64_t entry) { return (entry & present) != 0; }));
    at += read;
  }
  if (file >= 0) {
    ::close(file);
  }
  return count * page;
}

}  // namespace tarn::cli
