#include "collector/detect/endpoint_profile.h"

namespace forewarn::detect {

EndpointProfile ProfileOf(const v1::Endpoint& endpoint) {
  const v1::EndpointFacts& facts = endpoint.facts();
  return {
      .id = endpoint.id(),
      .host_name = facts.host_name(),
      .endpoint_class = facts.endpoint_class() == v1::ENDPOINT_CLASS_UNSPECIFIED
                            ? v1::ENDPOINT_CLASS_SERVER
                            : facts.endpoint_class(),
      .site = facts.site(),
      .tags = {facts.tags().begin(), facts.tags().end()}};
}

}  // namespace forewarn::detect
