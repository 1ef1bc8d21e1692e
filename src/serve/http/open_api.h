// GET /openapi.json: the routes as an OpenAPI 3.1 document, made from their table.
#pragma once

#include <string>

#include "serve/http/routes.h"

namespace vitalake::serve {

// Source: OpenAPI Specification 3.1.0.
std::string OpenApiJson(const Routes& routes);

// Adds the route that gives it; to be called when all others are there.
void AddOpenApiRoute(Routes& routes);

}  // namespace vitalake::serve
