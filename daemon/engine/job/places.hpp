#pragma once
// Where things are: the programs beside this one, the seed operators, the user's archive. Pure look-ups:
// nothing is created. core/process/places.hpp knows this program's folder and the user's cache.

#include <filesystem>
#include <string>
#include <vector>

#include "core/model/operator.hpp"
#include "core/text/result.hpp"

namespace kevolve::engine {

/// build/bin/kevolve-worker beside build/bin/kevolve.
std::filesystem::path program_beside(const std::string& name);

/// $KEVOLVE_SEEDS, or share/kevolve/kernels/seed of the installation, or kernels/seed of the source tree.
Result<std::filesystem::path> seeds_folder();

/// Every folder of the seeds that holds an operator.json, by name.
Result<std::vector<std::string>> operator_names();

/// A seed operator by name (an unknown name is answered with the nearest), or a folder given as a path.
Result<Operator> find_operator(const std::string& name_or_folder);

/// config/models.json beside the seeds: of the installation, or of the source tree.
std::filesystem::path default_models_file();

/// $KEVOLVE_ARCHIVE, else $XDG_DATA_HOME/kevolve/archive.db, else ~/.local/share/kevolve/archive.db.
std::filesystem::path default_archive();

}  // namespace kevolve::engine
