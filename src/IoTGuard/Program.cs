using IoTGuard;
using IoTGuard.Commands;

return await CommandLine.RunAsync(args);
