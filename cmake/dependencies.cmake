# Every third-party package. `scripts/setup.sh` installs them on Debian 12 and Ubuntu 24.04.

find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS context)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(CURL 7.87 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
find_package(benchmark QUIET)
find_package(Python3 COMPONENTS Interpreter)  # some tests are Python programs

# LibTorch, as IMPORTED targets over its include and lib folders: find_package(Torch) of a
# CUDA wheel fails where there is no CUDA toolkit.
set(KEVOLVE_TORCH_DIR "$ENV{KEVOLVE_TORCH_DIR}" CACHE PATH "Folder with LibTorch's include/ and lib/")
if(NOT KEVOLVE_TORCH_DIR)
  set(KEVOLVE_TORCH_DIR ${CMAKE_SOURCE_DIR}/.deps/torch)
endif()
if(NOT EXISTS ${KEVOLVE_TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "LibTorch not found: no lib/libtorch_cpu.so in '${KEVOLVE_TORCH_DIR}'. "
    "Run scripts/setup.sh, or set KEVOLVE_TORCH_DIR to the folder of an installed torch.")
endif()
add_library(kevolve_torch INTERFACE)
target_include_directories(kevolve_torch SYSTEM INTERFACE
  ${KEVOLVE_TORCH_DIR}/include ${KEVOLVE_TORCH_DIR}/include/torch/csrc/api/include)
# libtorch_cpu of a CUDA wheel needs libcudart and libcupti, which it finds through its own RPATH.
target_link_libraries(kevolve_torch INTERFACE
  ${KEVOLVE_TORCH_DIR}/lib/libtorch_cpu.so ${KEVOLVE_TORCH_DIR}/lib/libc10.so)
target_link_options(kevolve_torch INTERFACE -Wl,--allow-shlib-undefined)

# Catch2: version 2 in Debian 12, version 3 in Ubuntu 24.04. tests/catch.hpp hides the difference.
find_package(Catch2 REQUIRED)
include(Catch)
add_library(kevolve_catch2 STATIC ${CMAKE_SOURCE_DIR}/tests/catch_main.cpp)
target_include_directories(kevolve_catch2 PUBLIC ${CMAKE_SOURCE_DIR})
if(TARGET Catch2::Catch2WithMain)
  target_link_libraries(kevolve_catch2 PUBLIC Catch2::Catch2WithMain)
else()
  target_link_libraries(kevolve_catch2 PUBLIC Catch2::Catch2)
  target_compile_definitions(kevolve_catch2 PRIVATE KEVOLVE_CATCH2_V2)
endif()
kevolve_precompile(kevolve_test_headers LINK kevolve_catch2 HEADERS ${CMAKE_SOURCE_DIR}/tests/catch.hpp)
set_target_properties(kevolve_test_headers PROPERTIES KEVOLVE_TEST ON)

# CUDA's and CUPTI's headers, from a toolkit or from the wheels that scripts/setup.sh fetches. No library of theirs is
# linked: the driver, NVRTC and CUPTI are found and loaded at run time.
set(KEVOLVE_CUDA_ROOTS $ENV{CUDA_HOME} /usr/local/cuda ${CMAKE_SOURCE_DIR}/.deps/nvidia/cu13)
find_path(KEVOLVE_CUDA_INCLUDE cuda.h PATHS ${KEVOLVE_CUDA_ROOTS} PATH_SUFFIXES include NO_DEFAULT_PATH)
if(NOT KEVOLVE_CUDA_INCLUDE)
  message(FATAL_ERROR "CUDA's headers not found: no include/cuda.h in ${KEVOLVE_CUDA_ROOTS}. "
    "Run scripts/setup.sh, or set CUDA_HOME to the folder of a CUDA toolkit.")
endif()
add_library(kevolve_cuda_headers INTERFACE)
target_include_directories(kevolve_cuda_headers SYSTEM INTERFACE ${KEVOLVE_CUDA_INCLUDE})
find_path(KEVOLVE_CUPTI_INCLUDE cupti_range_profiler.h PATHS ${KEVOLVE_CUDA_ROOTS}
  PATH_SUFFIXES include extras/CUPTI/include NO_DEFAULT_PATH)
if(NOT KEVOLVE_CUPTI_INCLUDE)
  message(FATAL_ERROR "CUPTI's headers not found: no cupti_range_profiler.h (CUPTI 12.6 or newer) in include or "
    "extras/CUPTI/include of ${KEVOLVE_CUDA_ROOTS}. Run scripts/setup.sh, or install the package cuda-cupti-dev.")
endif()
target_include_directories(kevolve_cuda_headers SYSTEM INTERFACE ${KEVOLVE_CUPTI_INCLUDE})
