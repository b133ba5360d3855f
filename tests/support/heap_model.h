// A simple model beside a heap. Every operation is done on both; what the heap answers is compared with
// what the model knows: contents, overlaps, alignment, whose the block is, moves, statistics.
//
// A contradiction throws ModelError, in whatever frame the operations came from: a test fails, a fuzzer
// has a finding, the soak stops with the seed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

#include <tarn/heap.h>

namespace tarn::test {

class ModelError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

class HeapModel {
 public:
  HeapModel(Heap& heap, const HeapOptions& options);
  // Frees what is left, unchecked.
  ~HeapModel();
  HeapModel(const HeapModel&) = delete;
  HeapModel& operator=(const HeapModel&) = delete;

  // From now on a null pointer is no contradiction: memory may run out.
  void expect_failures(bool expected) { failures_expected_ = expected; }

  void allocate(std::size_t size, Domain domain);
  void allocate_zeroed(std::size_t count, std::size_t size, Domain domain);
  void allocate_aligned(std::size_t alignment, std::size_t size, Domain domain);
  // `index` is any number; it is taken modulo the number of live blocks. Nothing without live blocks.
  void reallocate(std::size_t index, std::size_t size);
  void free(std::size_t index);
  void free_sized(std::size_t index);
  void free_all();
  void release_empty_arenas();
  // Every page without an allocated block goes back.
  void release();

  [[nodiscard]] std::size_t live() const { return blocks_.size(); }
  [[nodiscard]] std::size_t live_bytes() const { return live_bytes_; }

  // Heap::verify, then walk, statistics and model against each other. Linear in the heap.
  void verify() const;

 private:
  struct LiveBlock {
    std::byte* address;
    std::size_t size;
    std::size_t szidx;  // without_class: the general allocator's
    std::uint64_t pattern;
    Domain domain;
  };
  static constexpr std::size_t without_class = SIZE_MAX;

  // Takes the heap's answer to a request into the model.
  void take(void* answer, std::size_t size, std::size_t szidx, std::size_t alignment,
            Domain domain);
  void leave(std::size_t index);
  void check_contents(const LiveBlock& block, std::size_t size) const;
  void fill(LiveBlock& block);
  void check_place(const LiveBlock& block, std::size_t alignment) const;
  [[nodiscard]] std::size_t szidx_of(std::size_t size) const;
  [[nodiscard]] const std::byte* start_of(const LiveBlock& block) const;

  Heap& heap_;
  bool debug_;
  bool failures_expected_ = false;
  bool may_go_elsewhere_;  // small requests, to the general allocator
  std::size_t alignment_;
  std::vector<std::size_t> block_sizes_;  // of the classes, ascending
  std::vector<LiveBlock> blocks_;
  std::map<const std::byte*, std::size_t> index_of_;  // address ──► blocks_
  std::size_t live_bytes_ = 0;
  std::size_t large_ = 0;
  std::uint64_t patterns_ = 0;
  std::array<std::array<std::size_t, size_class_limit>, domain_count> of_class_ = {};
};

}  // namespace tarn::test
