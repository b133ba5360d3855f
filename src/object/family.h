// A family: the pools whose blocks are for one type, or for objects with items of one size class.
//
//   F1  *front is the first of usedpools (or no_pool), or no_pool while every allocation is to be heard of
//   F2  a pool that was ever used has its family in its record
#pragma once

#include "alloc/used_pools.h"
#include "object/geometry.h"

namespace tarn::object {

struct Family {
  alloc::UsedPools<1> usedpools;
  detail::PoolFront** front = nullptr;  // what the hot path takes blocks from
  Type* type = nullptr;                 // null: objects with items, of any type
  Family* next = nullptr;               // of all families
  std::uint32_t block_size = 0;
};

}  // namespace tarn::object
