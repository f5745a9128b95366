"""The gRPC services that controllers and control rooms dial into."""
