// Reads a JSON document, shows what is shared in it, and lets it go.
//
//   example-json-document           the text below
//   example-json-document FILE      that file, written back to standard output

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include <tarn/gc.h>

#include "document.h"

namespace {

constexpr std::string_view text = R"({
  "people": [
    {"name": "Ada", "knows": [{"$ref": "#/people/1"}]},
    {"name": "Grace", "knows": [{"$ref": "#/people/0"}, {"$ref": "#/people/1"}]}
  ],
  "address": {"street": "Tarn \u2116 1", "floor": 2.5, "lift": true},
  "office": {"$ref": "#/address"},
  "home": {"$ref": "#/address"}
})";

std::size_t count_nodes(const tarn::ObjectHeap& heap) {
  std::size_t nodes = 0;
  heap.for_each_object(
      [&](tarn::Object& object) { nodes += tarn::is<json::Node>(object) ? 1 : 0; });
  return nodes;
}

json::Object& as_object(const tarn::Ref<json::Node>& node) {
  return static_cast<json::Object&>(*node);
}

int show() {
  tarn::ObjectHeap heap;
  tarn::Collector collector(heap);
  tarn::Ref<json::Node> document = json::parse(heap, text);
  std::printf("%zu nodes\n%s\n", count_nodes(heap), json::write(document).c_str());

  // The address stands in three places and is one node: what is changed in one is changed in all.
  tarn::Ref<json::Node> address(*as_object(document).find("address"));
  *as_object(address).find("floor") = heap.make<json::Number>(3);
  std::printf("\nhome: %s\n", json::write(*as_object(document).find("home")).c_str());

  // What isn't in a cycle dies with its last reference. People know each other: those the collector finds.
  document = nullptr;
  std::printf("\n%zu nodes are left: the address, which we hold, and the people\n",
              count_nodes(heap));
  const tarn::Collection found = collector.collect();
  std::printf("the collector found %zu in cycles, %zu are left\n", found.unreachable,
              count_nodes(heap));
  address = nullptr;
  std::printf("%zu are left\n", count_nodes(heap));
  return 0;
}

int write_back(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string source((std::istreambuf_iterator<char>(file)), {});
  if (!file) {
    std::fprintf(stderr, "example-json-document: can't read %s\n", path);
    return 1;
  }
  try {
    tarn::ObjectHeap heap;
    std::puts(json::write(json::parse(heap, source)).c_str());
  } catch (const json::Error& error) {
    std::fprintf(stderr, "example-json-document: %s: %s\n", path, error.what());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return argc > 1 ? write_back(argv[1]) : show(); }
