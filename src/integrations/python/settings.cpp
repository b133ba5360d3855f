#include "integrations/python/settings.h"

#include <csignal>
#include <cstdlib>
#include <cstring>

#include <sys/auxv.h>

#include "base/message.h"

namespace tarn::python {

namespace {

constexpr const char* geometry_names[] = {"tarn", "classic", "modern"};
constexpr const char* checks_names[] = {"none", "debug"};
constexpr const char* release_names[] = {"normal", "eager", "off", "at_once"};
constexpr const char* large_names[] = {"own", "general"};
constexpr const char* large_pages_names[] = {"auto", "off"};
constexpr const char* raw_names[] = {"off", "on"};
constexpr const char* gc_names[] = {"adaptive", "stock"};
constexpr const char* control_names[] = {"on", "off"};
constexpr const char* address_map_names[] = {"automatic", "range", "page_map"};

bool is(const char* text, const char* other) noexcept { return std::strcmp(text, other) == 0; }

// The index of the variable's value among `names`; the first when it's unset, empty or malformed.
template <std::size_t Count>
std::size_t choice(const char* variable, const char* const (&names)[Count], bool quiet) noexcept {
  const char* const value = std::getenv(variable);
  if (value == nullptr || *value == '\0') {
    return 0;
  }
  for (std::size_t i = 0; i < Count; ++i) {
    if (is(value, names[i])) {
      return i;
    }
  }
  if (!quiet) {
    base::Message message;
    message.text("tarn: ").text(variable).text("=").escaped(value).text(" is none of:");
    for (const char* const name : names) {
      message.text(" ").text(name);
    }
    message.text("; ").text(names[0]).text(" is used\n").write_to(base::standard_error);
  }
  return 0;
}

// A whole number from `least` to `most`; `otherwise` when the variable is unset, empty or malformed.
std::uint64_t number(const char* variable, const char* what, std::uint64_t least,
                     std::uint64_t most, std::uint64_t otherwise, bool quiet) noexcept {
  const char* const value = std::getenv(variable);
  if (value == nullptr || *value == '\0') {
    return otherwise;
  }
  std::uint64_t read = 0;
  const char* digit = value;
  while (*digit >= '0' && *digit <= '9' && read <= most) {
    read = read * 10 + static_cast<std::uint64_t>(*digit - '0');
    ++digit;
  }
  if (*digit == '\0' && read >= least && read <= most) {
    return read;
  }
  if (!quiet) {
    base::Message message;
    message.text("tarn: ").text(variable).text("=").escaped(value).text(" is no number of ");
    message.text(what);
    if (least != 0) {
      message.text(" from ").number(least).text(" to ").number(most);
    } else {
      message.text(" up to ").number(most);
    }
    message.text("; ").number(otherwise);
    message.text(" is used\n").write_to(base::standard_error);
  }
  return otherwise;
}

// The variable's value if it is an absolute path that fits. Not in a process with privileges of its own.
template <std::size_t Size>
void copy_folder(const char* variable, char (&target)[Size]) noexcept {
  const char* const folder = ::secure_getenv(variable);
  const std::size_t length = folder == nullptr ? 0 : std::strlen(folder);
  if (length != 0 && *folder == '/' && length < Size) {
    std::memcpy(target, folder, length + 1);
  }
}

// "2.5" as milliseconds, a tenth of a second to a day. False: it's none.
bool read_seconds(const char* text, unsigned& milliseconds) noexcept {
  constexpr unsigned most = 86'400'000;
  unsigned number = 0;
  unsigned unit = 1000;  // of the next digit, behind the point
  bool has_digit = false;
  bool has_point = false;
  for (; *text != '\0'; ++text) {
    if (*text == '.' && !has_point) {
      has_point = true;
    } else if (*text >= '0' && *text <= '9' && number <= most) {
      const auto digit = static_cast<unsigned>(*text - '0');
      has_digit = true;
      if (has_point) {
        unit /= 10;
        number += digit * unit;
      } else {
        number = number * 10 + digit * 1000;
      }
    } else {
      return false;
    }
  }
  milliseconds = number;
  return has_digit && number >= 100 && number <= most;
}

void read_snapshot_settings(Settings& settings) noexcept {
  const char* const when = ::secure_getenv("TARN_SNAPSHOT");
  const auto complain = [&](const char* variable, const char* value, const char* wanted) noexcept {
    if (!settings.quiet) {
      base::Message message;
      message.text("tarn: ").text(variable).text("=").escaped(value).text(" is none of: ");
      message.text(wanted).text("; no snapshot is taken\n").write_to(base::standard_error);
    }
  };
  if (when != nullptr && *when != '\0') {
    constexpr const char* every = "every=";
    if (is(when, "exit")) {
      settings.snapshot_at = SnapshotAt::exit;
    } else if (is(when, "peak")) {
      settings.snapshot_at = SnapshotAt::peak;
    } else if (std::strncmp(when, every, std::strlen(every)) == 0 &&
               read_seconds(when + std::strlen(every), settings.snapshot_milliseconds)) {
      settings.snapshot_at = SnapshotAt::every;
    } else {
      complain("TARN_SNAPSHOT", when, "exit, peak, every=SECONDS");
    }
  }
  const char* const signal = ::secure_getenv("TARN_SNAPSHOT_SIGNAL");
  if (signal != nullptr && *signal != '\0') {
    settings.snapshot_signal = is(signal, "USR1")   ? SIGUSR1
                               : is(signal, "USR2") ? SIGUSR2
                               : is(signal, "HUP")  ? SIGHUP
                                                    : 0;
    if (settings.snapshot_signal == 0) {
      complain("TARN_SNAPSHOT_SIGNAL", signal, "USR1, USR2, HUP");
    }
  }
  const char* const values = ::secure_getenv("TARN_SNAPSHOT_VALUES");
  settings.snapshot_values = values != nullptr && is(values, "1");
  copy_folder("TARN_SNAPSHOT_FILE", settings.snapshot_file);
  copy_folder("TARN_SNAPSHOT_TOOL", settings.snapshot_tool);
}

}  // namespace

const char* name_of(Geometry geometry) noexcept {
  return geometry_names[static_cast<std::size_t>(geometry)];
}

const char* name_of(ReleasePolicy policy) noexcept {
  return release_names[static_cast<std::size_t>(policy)];
}

const char* name_of(GcPolicy policy) noexcept { return gc_names[static_cast<std::size_t>(policy)]; }

const char* name_of(Checks checks) noexcept {
  return checks_names[static_cast<std::size_t>(checks)];
}

bool names_other_allocator(const char* value) noexcept {
  return value != nullptr && *value != '\0' && !is(value, "default") && !is(value, "debug");
}

bool ignores_environment(int argument_count, char** arguments) noexcept {
  for (int i = 1; i < argument_count; ++i) {
    const char* option = arguments[i];
    if (option[0] != '-' || option[1] == '\0' || option[1] == '-') {
      return false;  // the program's name, or a long option, behind which -E is no longer usual
    }
    for (++option; *option != '\0'; ++option) {
      if (*option == 'E' || *option == 'I') {
        return true;
      }
      if (*option == 'c' || *option == 'm') {
        return false;
      }
      if (*option == 'W' || *option == 'X') {
        i += option[1] == '\0' ? 1 : 0;  // its value is the rest, or the next word
        break;
      }
    }
  }
  return false;
}

Settings read_settings(int argument_count, char** arguments) noexcept {
  Settings settings;
  const char* const quiet = std::getenv("TARN_QUIET");
  settings.quiet = quiet != nullptr && is(quiet, "1");
  settings.geometry =
      static_cast<Geometry>(choice("TARN_GEOMETRY", geometry_names, settings.quiet));
  settings.checks = static_cast<Checks>(choice("TARN_CHECKS", checks_names, settings.quiet));
  settings.address_map =
      static_cast<AddressMap>(choice("TARN_ADDRESS_MAP", address_map_names, settings.quiet));
  settings.release =
      static_cast<ReleasePolicy>(choice("TARN_RELEASE", release_names, settings.quiet));
  settings.large = static_cast<Large>(choice("TARN_LARGE", large_names, settings.quiet));
  settings.raw = choice("TARN_RAW", raw_names, settings.quiet) == 1;
  settings.large_pages = choice("TARN_HUGEPAGES", large_pages_names, settings.quiet) == 0
                             ? LargePages::automatic
                             : LargePages::off;
  constexpr unsigned hour = 3'600'000;
  settings.decay_milliseconds = static_cast<unsigned>(
      number("TARN_DECAY", "milliseconds", 0, hour, settings.decay_milliseconds, settings.quiet));
  constexpr std::uint64_t largest_rate = std::uint64_t{1} << 40;
  settings.sites_rate = number("TARN_SITES", "bytes", 0, largest_rate, 0, settings.quiet);
  settings.sites_frames = static_cast<unsigned>(
      number("TARN_SITES_FRAMES", "frames", 1, 256, settings.sites_frames, settings.quiet));
  settings.sites_seed = number("TARN_SITES_SEED", "a seed", 0, UINT32_MAX, 0, settings.quiet);
  settings.gc = static_cast<GcPolicy>(choice("TARN_GC", gc_names, settings.quiet));
  settings.control =
      choice("TARN_CONTROL", control_names, settings.quiet) == 0 && ::getauxval(AT_SECURE) == 0;
  copy_folder("XDG_RUNTIME_DIR", settings.runtime_folder);
  copy_folder("TARN_REPORT_DIR", settings.report_folder);
  read_snapshot_settings(settings);
  const char* const allocator = std::getenv("PYTHONMALLOC");
  settings.other_allocator =
      names_other_allocator(allocator) && !ignores_environment(argument_count, arguments);
  return settings;
}

}  // namespace tarn::python
