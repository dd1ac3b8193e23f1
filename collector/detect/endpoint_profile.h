#ifndef FOREWARN_COLLECTOR_DETECT_ENDPOINT_PROFILE_H_
#define FOREWARN_COLLECTOR_DETECT_ENDPOINT_PROFILE_H_

#include <string>
#include <vector>

#include "forewarn/v1/fleet.pb.h"

namespace forewarn::detect {

// What detectors need to know of an endpoint.
struct EndpointProfile {
  std::string id;  // UUID
  std::string host_name;
  v1::EndpointClass endpoint_class = v1::ENDPOINT_CLASS_SERVER;
  std::string site;
  std::vector<std::string> tags;
};

// As the registry knows it; who names no class is a server.
EndpointProfile ProfileOf(const v1::Endpoint& endpoint);

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ENDPOINT_PROFILE_H_
