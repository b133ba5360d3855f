// What an object system gives the cases, so that each case is written once. The words are those of reference
// counting; under a tracing collector all of them are plain pointers.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

#include "nodes.h"

namespace tarn::bench::objects {

// P::Base<T>      what a node type T derives from
// P::Owner<T>     a reference on the stack that keeps its object alive
// P::Field<T>     one inside an object; made of an Owner and assigned one
// P::Back<T>      one inside an object that points backwards in a structure: strong where cycles are collected,
//                 weak where a programmer has to see to it that none arises
// P::Borrowed<T>  how the system's users pass an object to a function that only looks at it
// P::Array<T>     that many owners, first empty: set(i, owner), copy(i), borrow(i), at(i), clear()
// P::Doubles      many numbers, which no collector needs to look at
// P::Json         a document; see cases/json.h
// P::make<T>(…)   a new T
// P::get(r)       the address that any of the references holds
// P::set_back(node, owner)
// P::start(variant)  once, at the start; false where there is no such variant
// P::collects     whether cycles are collected; if so, P::collect() does it now, entirely
// P::frees_at_once  whether an object is freed with its last reference; if not, by P::collect()
template <typename P>
concept Peer = requires(typename P::template Owner<Tree<P>> owner, Tree<P>& tree, std::size_t index,
                        typename P::template Array<Tree<P>> array, std::string_view variant) {
  { P::collects } -> std::convertible_to<bool>;
  { P::frees_at_once } -> std::convertible_to<bool>;
  { P::start(variant) } -> std::same_as<bool>;
  { P::collect() } -> std::same_as<void>;
  {
    P::template make<Tree<P>>(std::move(owner), std::move(owner))
    } -> std::same_as<typename P::template Owner<Tree<P>>>;
  { P::get(owner) } -> std::same_as<Tree<P>*>;
  { P::get(tree.left) } -> std::same_as<Tree<P>*>;
  array.set(index, std::move(owner));
  { array.copy(index) } -> std::convertible_to<typename P::template Owner<Tree<P>>>;
  { array.borrow(index) } -> std::convertible_to<typename P::template Borrowed<Tree<P>>>;
  { array.at(index) } -> std::same_as<Tree<P>*>;
  array.clear();
};

}  // namespace tarn::bench::objects
