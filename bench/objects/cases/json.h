// A JSON document of 150,000 records, two million values, built and dropped.
//
// P::Json has Value, an owner of a value of any kind, and makes them: null(), boolean(b), number(d), string(s),
// array(), object(). append(array, value) and put(object, key, value) fill them; sum(value) walks a document: each
// number and each true counts with its value, a string with its length.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

#include "../meter.h"
#include "../peer.h"
#include "../random.h"

namespace tarn::bench::objects {

inline constexpr std::string_view json_tags[] = {"red", "green", "blue",
                                                 "a rather long tag that is its own", "draft"};

template <Peer P>
typename P::Json::Value json_record(std::size_t number, Random& random) {
  using Json = typename P::Json;
  constexpr double halves = 2.0;
  const auto coordinate = [&] { return static_cast<double>(random.below(1000)) / halves; };
  char name[48];
  const int length = std::snprintf(name, sizeof name, "record number %zu", number);

  auto record = Json::object();
  Json::put(record, "id", Json::number(static_cast<double>(number)));
  Json::put(record, "name", Json::string({name, static_cast<std::size_t>(length)}));
  Json::put(record, "active", Json::boolean(random.below(2) == 1));
  Json::put(record, "parent", Json::null());
  Json::put(record, "score", Json::number(coordinate()));
  auto tags = Json::array();
  for (int i = 0; i < 3; ++i) {
    Json::append(tags, Json::string(json_tags[random.below(std::size(json_tags))]));
  }
  Json::put(record, "tags", std::move(tags));
  auto position = Json::object();
  Json::put(position, "x", Json::number(coordinate()));
  Json::put(position, "y", Json::number(coordinate()));
  Json::put(record, "position", std::move(position));
  return record;
}

template <Peer P>
[[gnu::noinline]] typename P::Json::Value json_document(std::size_t records, Meter& meter) {
  constexpr std::size_t records_a_step = 64;
  Random random(5);
  auto document = P::Json::array();
  for (std::size_t i = 0; i < records; ++i) {
    P::Json::append(document, json_record<P>(i, random));
    if (i % records_a_step == 0) {
      meter.step();
    }
  }
  return document;
}

template <Peer P>
std::uint64_t run_json(Meter& meter, double scale) {
  constexpr std::size_t values_a_record = 13;
  const std::size_t records =
      std::max<std::size_t>(1000, static_cast<std::size_t>(150'000 * scale));
  typename P::Json::Value document = nullptr;
  meter.part("build", records * values_a_record,
             [&] { document = json_document<P>(records, meter); });
  double sum = 0;
  meter.part("walk", records * values_a_record, [&] { sum = P::Json::sum(document); });
  meter.part("drop", records * values_a_record, [&] {
    document = nullptr;
    if constexpr (!P::frees_at_once) {
      P::collect();
    }
  });
  return static_cast<std::uint64_t>(std::llround(sum));
}

}  // namespace tarn::bench::objects
