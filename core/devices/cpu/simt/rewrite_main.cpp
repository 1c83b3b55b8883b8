// simt_rewrite: CUDA source on stdin, what g++ is given of it on stdout.

#include <iostream>
#include <iterator>

#include "core/devices/cpu/simt/rewrite.hpp"

int main() {
  const std::string source{std::istreambuf_iterator<char>(std::cin), {}};
  std::cout << kevolve::simt::rewrite_for_host(source);
  return std::cout.flush() ? 0 : 1;
}
