#pragma once
// What "verified" means, in SQL: the view `verified_evaluations` has the rows of `evaluations` whose verdict
// is_verified() (archive/rows.hpp). It is temporary, one for each connection, so that the list of gates in
// core/model/verdict.hpp stays the only definition. Inside a transaction; failures throw.

#include <string>

#include "archive/connection.hpp"

namespace kevolve::archive {

/// The condition on a row's `outcome` and `gate`.
std::string verified_condition();

/// Gives the connection the view. The archive's tables must exist.
void define_verified(Connection& connection);

}  // namespace kevolve::archive
