#pragma once
// Everything is in the force-included kevolve_simt.hpp; no host API.
