// Catch2 3.x brings its own main; 2.x needs it generated here, once for all tests.
#ifdef KEVOLVE_CATCH2_V2
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
