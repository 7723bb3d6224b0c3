"""The service that faces terminals and holders: HTTP, signed requests, problem documents, pages.

create_app(services)                 the application
server.configure(app, host=, port=)  the server that it runs in
services.Services                    what the composition root builds it from
"""
