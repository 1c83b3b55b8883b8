#pragma once
// What tests say to the sanitizers.

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace test {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

/// What this thread allocates while the object lives may leak.
class LeaksOnPurpose {
 public:
#ifdef __SANITIZE_ADDRESS__
  LeaksOnPurpose() {
    __lsan_disable();
  }
  ~LeaksOnPurpose() {
    __lsan_enable();
  }
#else
  LeaksOnPurpose() = default;
  ~LeaksOnPurpose() {}  // user-provided: no warning of an unused object
#endif
  LeaksOnPurpose(const LeaksOnPurpose&) = delete;
  LeaksOnPurpose& operator=(const LeaksOnPurpose&) = delete;
};

}  // namespace test
