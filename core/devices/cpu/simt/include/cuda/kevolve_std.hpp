#pragma once
// cuda::std names the host library, header by header as they are included.

namespace std {}
namespace cuda {
namespace std {
using namespace ::std;
}
}  // namespace cuda
