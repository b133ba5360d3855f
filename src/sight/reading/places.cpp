#include "sight/reading/places.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace tarn::sight::reading {

bool is_library(std::string_view file) {
  if (file.starts_with('<')) {
    return true;
  }
  constexpr std::string_view folders[] = {"/lib/python3", "/site-packages/", "/dist-packages/"};
  return std::ranges::any_of(folders, [&](std::string_view folder) {
    return file.find(folder) != std::string_view::npos;
  });
}

void find_places(HeapImage& image) {
  std::map<std::tuple<std::uint32_t, std::uint32_t, bool>, std::uint32_t> known;
  for (Site& site : image.sites) {
    AllocationPlace place;
    place.has_no_room = site.has_no_room;
    if (!site.frames.empty()) {
      place.frame = site.frames.front();
      const auto own = std::ranges::find_if(
          site.frames, [&](std::uint32_t frame) { return !is_library(image.frames[frame].file); });
      place.own = own == site.frames.end() || *own == place.frame ? no_index : *own;
    }
    const auto [found, is_new] =
        known.try_emplace(std::tuple(place.frame, place.own, place.has_no_room),
                          static_cast<std::uint32_t>(image.places.size()));
    if (is_new) {
      image.places.push_back(place);
    }
    site.place = found->second;
  }
}

double weight_of(const HeapImage& image, std::uint32_t block) {
  return image.weights.empty() ? 1 : static_cast<double>(image.weights[block]);
}

}  // namespace tarn::sight::reading
