#include "sight/map/columns.h"

#include <bit>
#include <cstring>
#include <limits>

#include "sight/map/bad_snapshot.h"

namespace tarn::sight {

static_assert(std::endian::native == std::endian::little);

namespace {

constexpr std::string_view magic = "TARNMAP1";
constexpr std::size_t alignment = 8;

void append_u32(std::string& bytes, std::size_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    throw BadSnapshot("it holds more than a page can show");
  }
  const auto narrow = static_cast<std::uint32_t>(value);
  bytes.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
}

template <typename Element>
void append_elements(std::string& bytes, const std::vector<Element>& elements) {
  if (!elements.empty()) {
    bytes.append(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(Element));
  }
}

}  // namespace

Columns::Columns() : bytes_(magic) { bytes_.append(alignment, '\0'); }

void Columns::pad() { bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment); }

void Columns::begin(std::uint8_t kind, std::string_view name, std::size_t elements,
                    std::size_t bytes) {
  ++count_;
  std::memcpy(bytes_.data() + magic.size(), &count_, sizeof count_);
  bytes_ += static_cast<char>(kind);
  bytes_ += static_cast<char>(name.size());
  bytes_ += name;
  pad();
  append_u32(bytes_, elements);
  append_u32(bytes_, bytes);
}

void Columns::add(std::string_view name, const std::vector<std::uint8_t>& elements) {
  begin(1, name, elements.size(), elements.size());
  append_elements(bytes_, elements);
  pad();
}

void Columns::add(std::string_view name, const std::vector<std::uint16_t>& elements) {
  begin(2, name, elements.size(), elements.size() * sizeof elements[0]);
  append_elements(bytes_, elements);
  pad();
}

void Columns::add(std::string_view name, const std::vector<std::uint32_t>& elements) {
  begin(3, name, elements.size(), elements.size() * sizeof elements[0]);
  append_elements(bytes_, elements);
  pad();
}

void Columns::add(std::string_view name, const std::vector<double>& elements) {
  begin(4, name, elements.size(), elements.size() * sizeof elements[0]);
  append_elements(bytes_, elements);
  pad();
}

void Columns::add(std::string_view name, const std::vector<std::string>& texts) {
  std::vector<std::uint32_t> offsets = {0};
  std::string together;
  for (const std::string& text : texts) {
    together += text;
    if (together.size() > std::numeric_limits<std::uint32_t>::max()) {
      throw BadSnapshot("its names are longer than a page can show");
    }
    offsets.push_back(static_cast<std::uint32_t>(together.size()));
  }
  begin(5, name, texts.size(), offsets.size() * sizeof offsets[0] + together.size());
  append_elements(bytes_, offsets);
  bytes_ += together;
  pad();
}

}  // namespace tarn::sight
