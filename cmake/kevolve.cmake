# One way to declare a module, a program and a test, so that warnings, sanitizers and
# rooted includes ("core/model/operator.hpp") are the same everywhere.

# One translation unit per target (up to this many files each): headers are parsed and templates instantiated once per
# batch, not once per file. A clean build takes a fraction of the processor time.
option(KEVOLVE_UNITY "Compile the files of each target together" ON)
set(KEVOLVE_UNITY_BATCH 16)
function(kevolve_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${KEVOLVE_UNITY} UNITY_BUILD_BATCH_SIZE ${KEVOLVE_UNITY_BATCH})
endfunction()

add_library(kevolve_settings INTERFACE)
target_include_directories(kevolve_settings INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(kevolve_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  # g++ 12 warns falsely of overlap in std::string's own operator+ and assignment (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # It also pairs the new and delete of a coroutine's frame wrongly where it inlines only one of them.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,14>>:-Wno-mismatched-new-delete>
  # In a unity build every source is an included file, where g++ takes an anonymous namespace for a header's mistake.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${KEVOLVE_UNITY}>>:-Wno-subobject-linkage>
  $<$<BOOL:${KEVOLVE_WARNINGS_AS_ERRORS}>:-Werror>
  # g++ collects garbage every 128 MB by default, which costs an eighth of its time.
  $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=1000000>
  # A test runs once for each time it is compiled. -fPIC: as in the precompiled headers.
  $<$<BOOL:$<TARGET_PROPERTY:KEVOLVE_TEST>>:-O0 -fPIC>)
if(KEVOLVE_SANITIZE)
  # ASan finds what `null` would, and `vptr` and `object-size` need optimization or cost more than the rest together.
  # UBSan watches our own code; in the tests' code its checks would double the time to compile.
  target_compile_options(kevolve_settings INTERFACE -fsanitize=${KEVOLVE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize=null,vptr,object-size
    $<$<BOOL:$<TARGET_PROPERTY:KEVOLVE_TEST>>:-fno-sanitize=undefined>)
  target_link_options(kevolve_settings INTERFACE -fsanitize=${KEVOLVE_SANITIZE})
endif()

# The ordinary link ignores what -flto adds to each object; tools/odr reads it.
if(KEVOLVE_ODR)
  target_compile_options(kevolve_settings INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:KEVOLVE_TEST>>>:-flto -ffat-lto-objects>)
  target_link_options(kevolve_settings INTERFACE -fno-lto)
  # Only the objects keep it: ld takes a member twice from a library that is named twice and has __gnu_lto_v1.
  set(CMAKE_CXX_ARCHIVE_FINISH
    "${CMAKE_OBJCOPY} --wildcard --remove-section=.gnu.lto_* --strip-symbol=__gnu_lto_v1 <TARGET>" "<CMAKE_RANLIB> <TARGET>")
endif()

# What nearly every file includes is parsed once: for libraries and for tests, whose options differ. headers_test checks
# that each header still includes what it uses.
option(KEVOLVE_PRECOMPILE "Precompile the headers that nearly every file includes" ON)
set(KEVOLVE_COMMON_HEADERS <algorithm> <array> <chrono> <filesystem> <functional> <map> <memory> <optional> <string>
  <string_view> <variant> <vector> <nlohmann/json.hpp>)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/nothing.cpp CONTENT "")
function(kevolve_precompile holder)  # further headers; link what they need
  cmake_parse_arguments(ARG "" "" "LINK;HEADERS" ${ARGN})
  add_library(${holder} OBJECT ${CMAKE_BINARY_DIR}/generated/nothing.cpp)
  target_link_libraries(${holder} PRIVATE kevolve_settings ${ARG_LINK})
  target_precompile_headers(${holder} PRIVATE ${KEVOLVE_COMMON_HEADERS} ${ARG_HEADERS})
endfunction()
function(kevolve_use_precompiled target holder)
  if(KEVOLVE_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${holder})
  endif()
endfunction()
kevolve_precompile(kevolve_headers)

# kevolve_library(name SOURCES a.cpp ... [LINK target ...] [PRIVATE_LINK target ...])
function(kevolve_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE kevolve_settings ${ARG_PRIVATE_LINK})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  kevolve_unity(${name})
  kevolve_use_precompiled(${name} kevolve_headers)
endfunction()

# kevolve_embed(target file namespace variable): `target` gets the text of `file` as
# `extern const char* const kevolve::namespace::variable`.
function(kevolve_embed target file namespace variable)
  get_filename_component(path ${file} ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} text)
  set(source ${CMAKE_BINARY_DIR}/generated/${target}_${variable}.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
    "namespace kevolve::@namespace@ {\nextern const char* const @variable@;\nconst char* const @variable@ = R\"kevolve_text(@text@)kevolve_text\";\n}\n")
  target_sources(${target} PRIVATE ${source})
endfunction()

# kevolve_program(name SOURCES main.cpp ... LINK target ...) -> build/bin/name. The target `programs` is all of them.
add_custom_target(programs)
function(kevolve_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE kevolve_settings ${ARG_LINK})
  kevolve_unity(${name})
  add_dependencies(programs ${name})
endfunction()

# kevolve_test(name SOURCES a_test.cpp ... LINK target ... [LABELS unit] [TIMEOUT 120] [DEPENDS program ...])
# One Catch2 executable; every test case becomes a ctest entry "<name>: <case>". Tests whose threads meet in our own code
# have a label that ends with `threads`; the preset tsan builds (target `threads_tests`) and runs those. The preset asan
# builds and runs the target `unit_tests`.
add_custom_target(unit_tests)
add_custom_target(threads_tests)
function(kevolve_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS;DEPENDS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE kevolve_settings kevolve_catch2 ${ARG_LINK})
  kevolve_unity(${name})
  kevolve_use_precompiled(${name} kevolve_test_headers)
  target_compile_definitions(${name} PRIVATE
    KEVOLVE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" KEVOLVE_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests KEVOLVE_TEST ON)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(ARG_LABELS MATCHES unit)
    add_dependencies(unit_tests ${name})
  endif()
  if(ARG_LABELS MATCHES threads)
    add_dependencies(threads_tests ${name})
  endif()
  catch_discover_tests(${name} TEST_PREFIX "${name}: "
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" SKIP_RETURN_CODE 4)
endfunction()
