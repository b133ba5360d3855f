// Tarn's objects: reference counts, types, weak references, in one include.
//
//   struct Node : tarn::Object {
//     tarn::Member<Node> next;
//     static constexpr auto members = tarn::members(&Node::next);
//   };
//
//   tarn::ObjectHeap heap;
//   tarn::Ref<Node> node = heap.make<Node>();
//   node->next = heap.make<Node>();
//
// docs/objects.md is a guide from here on.
#pragma once

#include <tarn/object/heap.h>
#include <tarn/object/weak.h>
