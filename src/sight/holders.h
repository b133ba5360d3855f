// Who holds each block: what a snapshot's references lead to, from its roots on.
//
//   1  what has an object's marks is one, unless it's spare; what an object's struct points to and is none is its part
//   2  breadth-first from the named roots, in their order of preference: each object gets the first that reaches it
//   3  what remains and is counted more often than it's referred to: held by something unknown; again from there
//   4  what remains then is cyclic garbage
#pragma once

#include "sight/capture.h"

namespace tarn::sight {

// Fills in content, owner, holder, root and depth of all blocks, and adds roots for 3 and 4. Linear in blocks and
// references.
void find_holders(Capture& capture);

}  // namespace tarn::sight
