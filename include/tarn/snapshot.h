// A heap in a file, for questions in SQL: every arena, pool and block with its state, and in a heap of objects each object's type,
// its count, and who refers to whom. docs/snapshot.md has the tables; `tarn map`, `tarn why` and `tarn diff` read them.
//
// Of a library of its own, Tarn::snapshot, which needs SQLite 3 and throws.
//
//   tarn::write_snapshot(heap, "before.sqlite");
#pragma once

#include <cstdint>
#include <string>

namespace tarn {

class Heap;
class ObjectHeap;

// Adds a snapshot to the file, which is made if it isn't there, readable by its owner alone. Returns its number in it, from 1.
//
// Throws std::runtime_error, with the path and the reason in one line, when the file can't be written; it is then as it was.
// std::bad_alloc too: some 100 bytes are needed for a block, from the C++ library's allocator, none from the heap.
//
// Nobody else may use the heap meanwhile: of a heap of objects, the caller holds gil() where there are several threads. Linear in
// the blocks, and a file's writing: a second for a million.
std::int64_t write_snapshot(const Heap& heap, const std::string& path);
std::int64_t write_snapshot(const ObjectHeap& heap, const std::string& path);

}  // namespace tarn
