#include "core/devices/cuda/ptx_tensor_cores.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;

using Counts = std::map<std::string, std::int64_t>;

TEST_CASE("tensor-core instructions are counted by their narrowest operands") {
  CHECK(tensor_core_types("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r1}, {%r2};") ==
        Counts{{"bf16", 1}});
  CHECK(tensor_core_types(
            "{ setp.ne.b32 p, %r1, 0;\n wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {…} }\n"
            "\twgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {…};") == Counts{{"f16", 2}});
  CHECK(tensor_core_types("wmma.mma.sync.aligned.row.col.m16n16k8.f32.tf32.tf32.f32 {…}") ==
        Counts{{"tf32", 1}});
  CHECK(tensor_core_types("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {…}") == Counts{{"f64", 1}});
  CHECK(tensor_core_types("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32 {…}") == Counts{{"e4m3", 1}});
  CHECK(tensor_core_types("@p tcgen05.mma.cta_group::1.kind::f16 [%r1], %rd1;") == Counts{{"f16", 1}});
  CHECK(tensor_core_types("@p tcgen05.mma.cta_group::1.kind::f8f6f4 [%r1], %rd1;") == Counts{{"f8f6f4", 1}});
}

TEST_CASE("a type that is new to us is narrow until we know better") {
  CHECK(tensor_core_types("mma.sync.aligned.m16n8k64.row.col.f32.x5y1.x5y1.f32 {…}") ==
        Counts{{"unknown", 1}});
}

TEST_CASE("what is no multiplication on tensor cores is not counted") {
  CHECK(tensor_core_types(
            "fma.rn.f16x2 %r1, %r2, %r3, %r4; wgmma.fence.sync.aligned; wgmma.commit_group.sync.aligned;"
            " ldmatrix.sync.aligned.m8n8.x4.shared.b16 {…}; wmma.load.a.sync.aligned.row.m16n16k16.f16 {…};"
            " // my_mma.sync.f16\n .func gemm_mma.sync2")
            .empty());
}

}  // namespace kevolve
