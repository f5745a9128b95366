"""The interface between controllers, server and control room: Protobuf and gRPC."""
