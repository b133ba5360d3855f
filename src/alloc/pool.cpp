#include "alloc/pool.h"

namespace tarn::alloc {

constinit const Pool no_pool{};

}  // namespace tarn::alloc
